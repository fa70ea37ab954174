//! What the tables claim to know, they know: no byte of these families' messages in the
//! captures is left without a name.

mod captures;

use nlscope_dissector::schema::{Schema, base};

/// Families that are complete.
const COMPLETE: &[&str] = &[
    "nlctrl",
    "rt-link",
    "rt-addr",
    "rt-route",
    "rt-neigh",
    "rt-rule",
    "rt-nexthop",
    "rt-addrlabel",
    "rt-mdb",
    "rt-netconf",
    "rt-netns",
    "rt-tunnel",
    "rt-vlan",
    "sock-diag",
    "xfrm",
    "batadv",
    "ila",
    "ioam6",
    "l2tp",
    "macsec",
    "nlbl-calipso",
    "nlbl-cipsov4",
    "nlbl-mgmt",
    "nlbl-unlbl",
    "seg6",
    "taskstats",
    "thermal",
    "tipcv2",
];

#[test]
fn every_byte_of_a_complete_family_has_a_name() {
    let mut unnamed = Vec::new();
    for (name, frames) in captures::all().filter(|(name, _)| name != "malformed") {
        captures::each_message(Schema::builtin(), &frames, |view| {
            let Some(family) = view
                .mark
                .family
                .filter(|family| COMPLETE.contains(&family.name))
            else {
                return;
            };
            let node = view.node().unwrap();
            for index in node.index()..node.node().next {
                let node = view.tape.at(view.head.frame.bytes, index).unwrap();
                let nameless = [&raw const base::UNKNOWN, &raw const base::UNKNOWN_ATTRIBUTE]
                    .contains(&std::ptr::from_ref(node.field()));
                if nameless {
                    let place = node.parent().unwrap().path();
                    let number = node.number();
                    let frame = view.head.record.frame;
                    unnamed.push(format!(
                        "{name}, frame {frame}: {} {place} {number:?}",
                        family.name
                    ));
                }
            }
        });
    }
    assert!(
        unnamed.is_empty(),
        "{} nodes:\n{}",
        unnamed.len(),
        unnamed.join("\n")
    );
}
