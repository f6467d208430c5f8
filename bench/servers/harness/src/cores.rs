//! The cores of the server and of the client.

use std::{
    fs,
    path::Path,
    process::{self, Command, Stdio},
};

use crate::Result;

/// The server's core and the client's, so that neither takes time from the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cores {
    pinned: Option<(usize, usize)>,
    siblings: bool,
}

impl Cores {
    /// Two of the process's cores, on different physical cores if possible.
    #[must_use]
    pub fn choose() -> Self {
        let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
        let allowed = status.lines().find_map(|line| line.strip_prefix("Cpus_allowed_list:"));
        Self::among(&numbers(allowed.unwrap_or_default()), siblings_of)
    }

    fn among(allowed: &[usize], siblings_of: impl Fn(usize) -> Vec<usize>) -> Self {
        let [server, others @ ..] = allowed else { return Self { pinned: None, siblings: false } };
        let siblings = siblings_of(*server);
        let apart = others.iter().find(|other| !siblings.contains(other));
        let client = apart.or(others.first()).copied();
        Self { pinned: client.map(|client| (*server, client)), siblings: client.is_some() && apart.is_none() }
    }

    /// `program` on the server's core.
    #[must_use]
    pub fn for_server(&self, program: &Path) -> Command {
        on(self.pinned.map(|(server, _)| server), program)
    }

    /// `program` on the client's core.
    #[must_use]
    pub fn for_client(&self, program: &Path) -> Command {
        on(self.pinned.map(|(_, client)| client), program)
    }

    /// Moves this process to the client's core. Call it before starting other threads, which inherit the core.
    ///
    /// # Errors
    ///
    /// When taskset is missing.
    pub fn become_client(&self) -> Result {
        let Some((_, client)) = self.pinned else { return Ok(()) };
        let mut taskset = Command::new("taskset");
        taskset.args(["--cpu-list", "--pid", &client.to_string(), &process::id().to_string()]);
        let pinned = taskset.stdout(Stdio::null()).status().is_ok_and(|status| status.success());
        if pinned { Ok(()) } else { Err("taskset is missing: it comes with util-linux".to_owned()) }
    }

    /// A sentence for the report.
    #[must_use]
    pub fn description(&self) -> &'static str {
        match (self.pinned, self.siblings) {
            (None, _) => "There is one core only: server and client share it, and each slows the other.",
            (Some(_), true) => "The server has one core and the client another; both are threads of one physical core.",
            (Some(_), false) => "The server has one core and the client another.",
        }
    }
}

/// taskset becomes the program: the process keeps its id.
fn on(core: Option<usize>, program: &Path) -> Command {
    let Some(core) = core else { return Command::new(program) };
    let mut command = Command::new("taskset");
    command.arg("--cpu-list").arg(core.to_string()).arg(program);
    command
}

fn siblings_of(core: usize) -> Vec<usize> {
    let file = format!("/sys/devices/system/cpu/cpu{core}/topology/thread_siblings_list");
    numbers(&fs::read_to_string(file).unwrap_or_default())
}

/// The numbers of a list such as `0-2,5`.
fn numbers(list: &str) -> Vec<usize> {
    let ranges = list.trim().split(',').filter_map(|range| {
        let (first, last) = range.split_once('-').unwrap_or((range, range));
        Some(first.parse::<usize>().ok()?..=last.parse().ok()?)
    });
    ranges.flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_of_the_kernel() {
        assert_eq!(numbers("\t0-2,5\n"), [0, 1, 2, 5]);
        assert_eq!(numbers("3"), [3]);
        assert!(numbers("").is_empty());
    }

    #[test]
    fn different_physical_cores_are_preferred() {
        let cores = Cores::among(&[0, 1, 2, 3], |_| vec![0, 1]);
        assert_eq!(cores, Cores { pinned: Some((0, 2)), siblings: false });
        let cores = Cores::among(&[0, 1], |_| vec![0, 1]);
        assert_eq!(cores, Cores { pinned: Some((0, 1)), siblings: true });
        assert_eq!(Cores::among(&[4], |_| vec![4]).pinned, None);
    }
}
