//! The names in patterns, as a tree.

use super::{Pattern, units::folded};

/// The names in patterns: a node for each path that leads to a pattern.
#[derive(Debug)]
pub(super) struct Tree {
    nodes: Vec<Node>,
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

    pub(super) fn of<'a>(patterns: impl Iterator<Item = &'a Pattern>) -> Self {
        let root = Node { parent: Self::ROOT, name: String::new(), folded: String::new(), children: Vec::new() };
        let mut tree = Self { nodes: vec![root] };
        for pattern in patterns {
            pattern.segments().fold(Self::ROOT, |node, name| tree.child_or_new(node, name));
        }
        tree
    }

    fn child_or_new(&mut self, node: usize, name: &str) -> usize {
        if let Some((child, _)) = self.children(node).find(|(_, child)| child.name == name) {
            return child;
        }
        let child = self.nodes.len();
        self.nodes.push(Node { parent: node, name: name.to_owned(), folded: folded(name), children: Vec::new() });
        if let Some(parent) = self.nodes.get_mut(node) {
            parent.children.push(child);
        }
        child
    }

    fn children(&self, node: usize) -> impl Iterator<Item = (usize, &Node)> {
        let children = self.nodes.get(node).map_or(&[][..], |node| &node.children);
        children.iter().filter_map(|&child| Some((child, self.nodes.get(child)?)))
    }

    /// Returns the child with exactly this name.
    pub(super) fn named(&self, node: usize, name: &str) -> Option<usize> {
        self.children(node).find(|(_, child)| child.name == name).map(|(child, _)| child)
    }

    /// Returns the children whose names some server may take for one with these foldings.
    pub(super) fn alike<'a>(&'a self, node: usize, folded: &'a [String]) -> impl Iterator<Item = usize> {
        self.children(node).filter(move |(_, child)| folded.contains(&child.folded)).map(|(child, _)| child)
    }

    /// Returns the children whose names may begin with one of these foldings.
    pub(super) fn beginning<'a>(&'a self, node: usize, folded: &'a [String]) -> impl Iterator<Item = usize> {
        let begins = |child: &Node| folded.iter().any(|folded| child.folded.starts_with(folded.as_str()));
        self.children(node).filter(move |(_, child)| begins(child)).map(|(child, _)| child)
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
