//! Which program uses which port.

use std::collections::HashMap;

use crate::capture::Process;

/// How many are remembered, so that a hostile capture cannot fill the memory.
const MAX_TOLD: usize = 1 << 16;

/// A port: of a network namespace, and of a protocol in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct PortKey {
    pub(super) netns: u32,
    pub(super) protocol: u16,
    pub(super) port: u32,
}

/// The programs behind ports, and since which frame each was.
#[derive(Debug, Default)]
pub(super) struct Ports {
    /// Of each port the programs, in order; the first one also stands for all before it.
    told: HashMap<PortKey, Vec<(u32, Process)>>,
    count: usize,
}

impl Ports {
    /// Who used the port at the time of frame number `frame`.
    pub(super) fn process(&self, key: PortKey, frame: u32) -> Option<&Process> {
        let told = self.told.get(&key)?;
        let later = told.partition_point(|(since, _)| *since <= frame);
        told.get(later.saturating_sub(1))
            .map(|(_, process)| process)
    }

    /// From frame number `frame` on `process` uses the port. What was seen takes the place
    /// of the same, inferred.
    pub(super) fn learn(&mut self, key: PortKey, frame: u32, process: &Process) {
        if self.count >= MAX_TOLD {
            return;
        }
        let told = self.told.entry(key).or_default();
        match told.last_mut() {
            Some((since, _)) if *since > frame => {}
            Some((_, last)) if last.pid == process.pid => {
                if process.exact || !last.exact {
                    last.clone_from(process);
                }
            }
            _ => {
                told.push((frame, process.clone()));
                self.count += 1;
            }
        }
    }
}
