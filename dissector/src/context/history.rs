//! What was told of something, and since which frame each held: names of interfaces, the
//! programs behind ports.

use std::collections::{HashMap, VecDeque};
use std::hash::Hash;

/// How much is remembered, so that a long or hostile capture cannot fill the memory. The
/// oldest is forgotten.
const MAX_TOLD: usize = 1 << 16;

/// Values by what they are about, and since when.
#[derive(Debug)]
pub(super) struct History<K, V> {
    /// Of each the frames that told a new value, in order.
    told: HashMap<K, VecDeque<(u32, V)>>,
    /// What was told, in order.
    order: VecDeque<K>,
}

impl<K, V> Default for History<K, V> {
    fn default() -> Self {
        Self {
            told: HashMap::new(),
            order: VecDeque::new(),
        }
    }
}

impl<K: Copy + Eq + Hash, V> History<K, V> {
    /// The value at the time of frame number `frame`: what was told last by then, else
    /// what is told first later on.
    pub(super) fn at(&self, key: K, frame: u32) -> Option<&V> {
        let told = self.told.get(&key)?;
        let later = told.partition_point(|(since, _)| *since <= frame);
        told.get(later.saturating_sub(1)).map(|(_, value)| value)
    }

    /// What was told last, and since when it holds.
    pub(super) fn latest(&mut self, key: K) -> Option<(u32, &mut V)> {
        let (since, value) = self.told.get_mut(&key)?.back_mut()?;
        Some((*since, value))
    }

    /// From frame number `frame` on the value is another one. Frames that come earlier than
    /// what is known are passed over.
    pub(super) fn tell(&mut self, key: K, frame: u32, value: V) {
        if self.latest(key).is_some_and(|(since, _)| since > frame) {
            return;
        }
        self.told.entry(key).or_default().push_back((frame, value));
        self.order.push_back(key);
        if self.order.len() > MAX_TOLD {
            self.forget_oldest();
        }
    }

    fn forget_oldest(&mut self) {
        let Some(key) = self.order.pop_front() else {
            return;
        };
        if let Some(told) = self.told.get_mut(&key) {
            told.pop_front();
            if told.is_empty() {
                self.told.remove(&key);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_is_forgotten_and_the_latest_kept() {
        let mut history = History::default();
        for number in 0..=u32::try_from(MAX_TOLD).unwrap() {
            history.tell(number % 1000, number, number);
        }
        assert_eq!(history.order.len(), MAX_TOLD);
        assert_eq!(history.at(536, u32::MAX), Some(&65536));
        assert_eq!(history.at(0, 0), Some(&1000), "the first of key 0 is gone");
        assert_eq!(history.at(1, 0), Some(&1));
    }
}
