//! Messages as text: one line, a tree, JSON, PDML.
