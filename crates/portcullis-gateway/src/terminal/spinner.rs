//! A spinner during long waits.

use std::{
    future::Future,
    io::{IsTerminal, Write, stderr},
    pin::pin,
    time::Duration,
};

/// The wait without a spinner.
const PATIENCE: Duration = Duration::from_millis(300);

const STEP: Duration = Duration::from_millis(100);

const SIGNS: [char; 10] = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];

/// Waits for some work, named by `what`; if it takes long, a terminal shows a spinner.
pub(crate) async fn waiting<T>(what: &str, work: impl Future<Output = T>) -> T {
    let is_dumb = std::env::var_os("TERM").is_none_or(|term| term == "dumb");
    if is_dumb || !stderr().is_terminal() {
        return work.await;
    }
    let mut work = pin!(work);
    if let Ok(done) = tokio::time::timeout(PATIENCE, &mut work).await {
        return done;
    }
    let mut signs = SIGNS.iter().cycle();
    loop {
        show(&format!("\r\x1b[2K{} {what}", signs.next().unwrap_or(&' ')));
        if let Ok(done) = tokio::time::timeout(STEP, &mut work).await {
            show("\r\x1b[2K");
            return done;
        }
    }
}

fn show(text: &str) {
    let mut stderr = stderr().lock();
    drop(stderr.write_all(text.as_bytes()).and_then(|()| stderr.flush()));
}
