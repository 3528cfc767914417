//! A balanced search tree (AVL) over the records of a slab, linked by their numbers.
//!
//! It needs no memory of its own, so that entering and taking out never fail for lack of it, and it goes down and up by
//! loops, since a kernel stack is short.
//!
//! Source of the algorithm: Knuth, The Art of Computer Programming, volume 3, 6.2.3.

use core::cmp::Ordering;

use crate::kernel::Kernel;
use crate::key::Key;
use crate::slab::{NIL, Record, Slab};

/// A record that can be in a tree.
pub(crate) trait Node: Record {
    /// What the tree is ordered by. It does not change while the record is in the tree.
    fn key(&self) -> &Key;
    /// The tree's own part of the record.
    fn links(&mut self) -> &mut Links;
    /// The same, to look at.
    fn linked(&self) -> &Links;
}

/// What the tree keeps in a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Links {
    left: u32,
    right: u32,
    height: u8,
}

impl Default for Links {
    fn default() -> Self {
        Self { left: NIL, right: NIL, height: 1 }
    }
}

impl Links {
    /// A number that is free for other use while the record is in no tree.
    pub(crate) const fn spare(&mut self) -> &mut u32 {
        &mut self.left
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Side {
    Left,
    Right,
}

/// A tree of 2^20 nodes is at most 29 high: 1.45 × log2.
const MAX_HEIGHT: usize = 32;

/// The way from the root down to a node: each node passed, and on which side the way went on.
struct Path {
    steps: [(u32, Side); MAX_HEIGHT],
    length: usize,
}

impl Path {
    const fn new() -> Self {
        Self { steps: [(NIL, Side::Left); MAX_HEIGHT], length: 0 }
    }

    fn push(&mut self, node: u32, side: Side) {
        if let Some(step) = self.steps.get_mut(self.length) {
            *step = (node, side);
            self.length = self.length.saturating_add(1);
        }
    }

    fn pop(&mut self) -> Option<(u32, Side)> {
        self.length = self.length.checked_sub(1)?;
        self.steps.get(self.length).copied()
    }

    fn replace(&mut self, position: usize, node: u32) {
        if let Some((step, _)) = self.steps.get_mut(position) {
            *step = node;
        }
    }
}

/// A tree: the number of its root. The records are in a slab, always the same one.
pub(crate) struct Tree {
    root: u32,
}

impl Tree {
    pub(crate) const fn new() -> Self {
        Self { root: NIL }
    }

    /// The record with `key`.
    pub(crate) fn find<K: Kernel, T: Node>(&self, slab: &Slab<K, T>, key: &Key) -> Option<u32> {
        let mut next = self.root;
        while let Some(node) = slab.get(next) {
            next = match key.cmp(node.key()) {
                Ordering::Less => node.linked().left,
                Ordering::Greater => node.linked().right,
                Ordering::Equal => return Some(next),
            };
        }
        None
    }

    /// The first record whose key is `key` or after it; strictly after it if `beyond`.
    pub(crate) fn first_from<K: Kernel, T: Node>(&self, slab: &Slab<K, T>, key: &Key, beyond: bool) -> Option<u32> {
        let mut best = None;
        let mut next = self.root;
        while let Some(node) = slab.get(next) {
            let wanted = if beyond { node.key() > key } else { node.key() >= key };
            if wanted {
                best = Some(next);
                next = node.linked().left;
            } else {
                next = node.linked().right;
            }
        }
        best
    }

    /// Enters the record `number`, which is in no tree. Does nothing if the tree has one with its key.
    pub(crate) fn insert<K: Kernel, T: Node>(&mut self, slab: &mut Slab<K, T>, number: u32) {
        let Some(new) = slab.get_mut(number) else { return };
        *new.links() = Links::default();
        let key = *new.key();
        let mut path = Path::new();
        let mut next = self.root;
        while let Some(node) = slab.get(next) {
            let side = match key.cmp(node.key()) {
                Ordering::Less => Side::Left,
                Ordering::Greater => Side::Right,
                Ordering::Equal => return,
            };
            path.push(next, side);
            next = child(slab, next, side);
        }
        self.climb(slab, path, number);
    }

    /// Takes the record with `key` out of the tree; its number. It stays in the slab.
    pub(crate) fn remove<K: Kernel, T: Node>(&mut self, slab: &mut Slab<K, T>, key: &Key) -> Option<u32> {
        let mut path = Path::new();
        let mut number = self.root;
        loop {
            let side = match key.cmp(slab.get(number)?.key()) {
                Ordering::Less => Side::Left,
                Ordering::Greater => Side::Right,
                Ordering::Equal => break,
            };
            path.push(number, side);
            number = child(slab, number, side);
        }
        let links = *slab.get(number)?.linked();
        let rest = match (links.left, links.right) {
            (only, NIL) | (NIL, only) => only,
            (_, right) => lift_successor(slab, &mut path, links, right),
        };
        self.climb(slab, path, rest);
        Some(number)
    }

    /// Links `subtree` where `path` ends and balances every node on the way up.
    fn climb<K: Kernel, T: Node>(&mut self, slab: &mut Slab<K, T>, mut path: Path, mut subtree: u32) {
        while let Some((node, side)) = path.pop() {
            set_child(slab, node, side, subtree);
            subtree = balance(slab, node);
        }
        self.root = subtree;
    }
}

/// Puts the successor of a node with two children into its place, where `path` ends. What is to be linked in the
/// successor's own place is returned, and `path` goes on to there.
fn lift_successor<K: Kernel, T: Node>(slab: &mut Slab<K, T>, path: &mut Path, links: Links, right: u32) -> u32 {
    let place = path.length;
    path.push(NIL, Side::Right);
    let mut successor = right;
    loop {
        match child(slab, successor, Side::Left) {
            NIL => break,
            left => {
                path.push(successor, Side::Left);
                successor = left;
            }
        }
    }
    let rest = child(slab, successor, Side::Right);
    if let Some(node) = slab.get_mut(successor) {
        *node.links() = links;
    }
    path.replace(place, successor);
    rest
}

fn child<K: Kernel, T: Node>(slab: &Slab<K, T>, number: u32, side: Side) -> u32 {
    slab.get(number).map_or(NIL, |node| match side {
        Side::Left => node.linked().left,
        Side::Right => node.linked().right,
    })
}

fn set_child<K: Kernel, T: Node>(slab: &mut Slab<K, T>, number: u32, side: Side, child: u32) {
    let Some(node) = slab.get_mut(number) else { return };
    match side {
        Side::Left => node.links().left = child,
        Side::Right => node.links().right = child,
    }
}

fn height<K: Kernel, T: Node>(slab: &Slab<K, T>, number: u32) -> u8 {
    slab.get(number).map_or(0, |node| node.linked().height)
}

/// The heights of a node's subtrees.
fn heights<K: Kernel, T: Node>(slab: &Slab<K, T>, number: u32) -> (u8, u8) {
    let subtree = |side| height(slab, child(slab, number, side));
    (subtree(Side::Left), subtree(Side::Right))
}

fn update_height<K: Kernel, T: Node>(slab: &mut Slab<K, T>, number: u32) {
    let (left, right) = heights(slab, number);
    if let Some(node) = slab.get_mut(number) {
        node.links().height = left.max(right).saturating_add(1);
    }
}

/// Makes the subtrees of a node differ by at most one in height, where they differ by at most two; the root then.
fn balance<K: Kernel, T: Node>(slab: &mut Slab<K, T>, number: u32) -> u32 {
    let (left, right) = heights(slab, number);
    let heavy = if left > right.saturating_add(1) {
        Side::Left
    } else if right > left.saturating_add(1) {
        Side::Right
    } else {
        update_height(slab, number);
        return number;
    };
    let top = child(slab, number, heavy);
    let (left, right) = heights(slab, top);
    let inner_is_higher = match heavy {
        Side::Left => right > left,
        Side::Right => left > right,
    };
    if inner_is_higher {
        let rotated = rotate(slab, top, heavy.other());
        set_child(slab, number, heavy, rotated);
    }
    rotate(slab, number, heavy)
}

/// Lifts a node's child on the `side` above it; the child.
fn rotate<K: Kernel, T: Node>(slab: &mut Slab<K, T>, number: u32, side: Side) -> u32 {
    let lifted = child(slab, number, side);
    let between = child(slab, lifted, side.other());
    set_child(slab, number, side, between);
    set_child(slab, lifted, side.other(), number);
    update_height(slab, number);
    update_height(slab, lifted);
    lifted
}

impl Side {
    const fn other(self) -> Self {
        match self {
            Self::Left => Self::Right,
            Self::Right => Self::Left,
        }
    }
}

#[cfg(test)]
mod tests;
