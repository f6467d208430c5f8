//! The names in patterns, as a tree.

use super::{
    Pattern,
    pattern::ANY,
    units::{folded, folded_in_any_case, foldings, foldings_in_any_case},
};

/// A name that is in no pattern: `*` stands for it.
pub(super) const OTHER: &str = "\0";

/// The limit on nodes; more than that takes hundreds of patterns with several `*`.
const MOST_NODES: usize = 1 << 16;

/// The names in patterns: a node for each path that leads to a pattern.
///
/// The node of `*` is that of all names without a node beside it. Below a named node are all nodes of a `*` beside it, too, so that
/// a path leads to one node.
#[derive(Debug)]
pub(super) struct Tree {
    nodes: Vec<Node>,
    case: Case,
    /// True if all names are of ASCII without capitals.
    is_small: bool,
    /// True if a `*` stands for a name.
    has_any: bool,
    /// False if there are too many nodes.
    is_whole: bool,
}

/// The part of letter case in names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Case {
    /// It tells names apart.
    Counts,
    /// It tells them apart to some servers, and not to others.
    MayCount,
}

#[derive(Debug)]
struct Node {
    parent: usize,
    name: String,
    folded: String,
    children: Vec<usize>,
}

impl Tree {
    pub(super) const ROOT: usize = 0;

    pub(super) fn of<'a>(patterns: impl Iterator<Item = &'a Pattern>, case: Case) -> Self {
        let root = Node { parent: Self::ROOT, name: String::new(), folded: String::new(), children: Vec::new() };
        let mut tree = Self { nodes: vec![root], case, is_small: true, has_any: false, is_whole: true };
        for pattern in patterns {
            let name = |segment| if segment == ANY { OTHER } else { segment };
            pattern.segments().map(name).fold(Self::ROOT, |node, name| tree.child_or_new(node, name));
        }
        let is_small = |byte: u8| byte.is_ascii() && !byte.is_ascii_uppercase();
        tree.is_small = tree.nodes.iter().all(|node| node.name.bytes().all(is_small));
        tree.has_any = tree.nodes.iter().any(|node| node.name == OTHER);
        tree.close();
        tree
    }

    /// Gives each named node the nodes of a `*` beside it. Nodes stand behind their parents, so a node is complete when it is its turn.
    fn close(&mut self) {
        let mut node = Self::ROOT;
        while node < self.nodes.len() && self.is_whole {
            let named: Vec<usize> = self.named_children(node).map(|(child, _)| child).collect();
            if let Some(other) = self.other(node) {
                named.into_iter().for_each(|child| self.graft(other, child));
            }
            node += 1;
        }
    }

    /// Copies the nodes below one to below another.
    fn graft(&mut self, from: usize, to: usize) {
        let children: Vec<_> = self.children(from).map(|(child, node)| (child, node.name.clone())).collect();
        for (child, name) in children {
            self.is_whole &= self.nodes.len() < MOST_NODES;
            if !self.is_whole {
                return;
            }
            let own = self.child_or_new(to, &name);
            self.graft(child, own);
        }
    }

    pub(super) fn case(&self) -> Case {
        self.case
    }

    /// Returns true if no name differs by letter case from its form in small letters.
    pub(super) fn is_small(&self) -> bool {
        self.is_small
    }

    /// Returns true if a `*` stands for a name.
    pub(super) fn has_any(&self) -> bool {
        self.has_any
    }

    /// Returns true if all paths lead to the right node; if not, no search can tell where they lead.
    pub(super) fn is_whole(&self) -> bool {
        self.is_whole
    }

    fn child_or_new(&mut self, node: usize, name: &str) -> usize {
        if let Some((child, _)) = self.children(node).find(|(_, child)| child.name == name) {
            return child;
        }
        let child = self.nodes.len();
        let folded = self.case.folded(name);
        self.nodes.push(Node { parent: node, name: name.to_owned(), folded, children: Vec::new() });
        if let Some(parent) = self.nodes.get_mut(node) {
            parent.children.push(child);
        }
        child
    }

    fn children(&self, node: usize) -> impl Iterator<Item = (usize, &Node)> {
        let children = self.nodes.get(node).map_or(&[][..], |node| &node.children);
        children.iter().filter_map(|&child| Some((child, self.nodes.get(child)?)))
    }

    fn named_children(&self, node: usize) -> impl Iterator<Item = (usize, &Node)> {
        self.children(node).filter(|(_, child)| child.name != OTHER)
    }

    /// Returns the child of all names that no other child has.
    pub(super) fn other(&self, node: usize) -> Option<usize> {
        self.named(node, OTHER)
    }

    /// Returns the child with exactly this name.
    pub(super) fn named(&self, node: usize, name: &str) -> Option<usize> {
        self.children(node).find(|(_, child)| child.name == name).map(|(child, _)| child)
    }

    /// Returns the children whose names some server may take for one with these foldings.
    pub(super) fn alike<'a>(&'a self, node: usize, folded: &'a [String]) -> impl Iterator<Item = usize> {
        self.named_children(node).filter(move |(_, child)| folded.contains(&child.folded)).map(|(child, _)| child)
    }

    /// Returns the children whose names may begin with one of these foldings.
    pub(super) fn beginning<'a>(&'a self, node: usize, folded: &'a [String]) -> impl Iterator<Item = usize> {
        let begins = |child: &Node| folded.iter().any(|folded| child.folded.starts_with(folded.as_str()));
        self.named_children(node).filter(move |(_, child)| begins(child)).map(|(child, _)| child)
    }

    /// Returns the children whose names begin with a dot.
    pub(super) fn hidden(&self, node: usize) -> impl Iterator<Item = usize> {
        self.children(node).filter(|(_, child)| child.name.starts_with('.')).map(|(child, _)| child)
    }

    /// Returns the parent of a node; the root is its own parent, since `..` leads nowhere from there.
    pub(super) fn above(&self, node: usize) -> usize {
        self.nodes.get(node).map_or(Self::ROOT, |node| node.parent)
    }

    pub(super) fn depth(&self, node: usize) -> usize {
        std::iter::successors(Some(node), |&node| Some(self.above(node))).take_while(|&node| node != Self::ROOT).count()
    }

    /// Returns the path of a node; empty for the root.
    pub(super) fn path(&self, node: usize) -> String {
        match self.nodes.get(node) {
            Some(own) if node != Self::ROOT => format!("{}/{}", self.path(own.parent), own.name),
            _ => String::new(),
        }
    }
}

impl Case {
    /// Returns the folding of a name of a pattern.
    fn folded(self, name: &str) -> String {
        match self {
            Self::Counts => folded(name),
            Self::MayCount => folded_in_any_case(name),
        }
    }

    /// Returns the foldings of a name of a request.
    pub(super) fn foldings(self, name: &str) -> Vec<String> {
        match self {
            Self::Counts => foldings(name),
            Self::MayCount => foldings_in_any_case(name),
        }
    }
}
