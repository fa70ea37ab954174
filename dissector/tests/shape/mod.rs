//! What holds for the tape of every frame: leaves tile it, the tree is a tree, and no
//! value reaches a terminal raw.

use nlscope_dissector::tape::{NodeFlags, Tape};
use nlscope_dissector::value::Show;
use nlscope_dissector::walk::MAX_DEPTH;

/// More nodes than this for each byte would mean that the cost is not linear.
const NODES_PER_BYTE: usize = 3;

/// Panics where the tape of the frame `bytes` is not as it has to be.
#[track_caller]
pub(crate) fn check(tape: &Tape, bytes: &[u8]) {
    let mut at = 0;
    for leaf in tape.leaves() {
        assert_eq!(leaf.start, at, "leaves tile the frame: {tape:#?}");
        at += leaf.len;
    }
    assert_eq!(
        at as usize,
        bytes.len(),
        "leaves reach the end of the frame: {tape:#?}"
    );
    let nodes = tape.nodes();
    assert!(
        nodes.len() <= NODES_PER_BYTE * bytes.len() + 64,
        "{} nodes for {} bytes",
        nodes.len(),
        bytes.len()
    );
    for (index, node) in nodes.iter().enumerate() {
        assert!(node.depth <= MAX_DEPTH + 2, "depth {}", node.depth);
        let below = &nodes[index + 1..node.next as usize];
        for child in below {
            assert!(child.depth > node.depth);
            assert!(child.start >= node.start && child.start + child.len <= node.start + node.len);
        }
        let node = tape.at(bytes, u32::try_from(index).unwrap()).unwrap();
        let mut end = 0;
        for child in node.children().filter(|child| !child.has(NodeFlags::BITS)) {
            assert!(child.node().start >= end, "siblings are disjoint");
            end = child.node().start + child.node().len;
        }
        let shown = node.show(Show::PLAIN).to_string();
        assert!(!shown.chars().any(char::is_control), "{shown:?}");
    }
}
