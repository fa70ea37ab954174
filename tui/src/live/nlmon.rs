//! Capturing on an nlmon device.

use std::os::fd::{AsFd, OwnedFd};
use std::time::{Duration, Instant};

use anyhow::{Context as _, anyhow};
use nlscope_dissector::capture::Time;
use pcap::{Active, Capture, Error, Precision};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::{Errno, FdFlags};

use super::desk::{BATCH, Batch, Desk, Place};
use super::privilege::{NEEDED, Unprivileged};
use crate::clock::now;
use crate::source::{Losses, SourceError, Stop};

/// That of nlmon, and of no other device.
const LINKTYPE_NETLINK: i32 = 253;
/// Longest frame that is captured: libpcap's own limit.
const SNAPLEN: i32 = 262_144;
/// How long after the last frame the kernel is asked how many it dropped.
const COUNT_AFTER: Duration = Duration::from_millis(500);
/// How often at most while frames come.
const COUNT_EVERY: Duration = Duration::from_millis(250);

/// How many times the delay that is: the kernel looks that often, and takes no block that is
/// younger.
const LATE: u32 = 2;
/// And how much longer, for the kernel is no clock.
const LATER: Duration = Duration::from_millis(15);

/// An open capture.
pub(super) struct Nlmon {
    capture: Capture<Active>,
    name: String,
    /// What libpcap counted by the last time: received, dropped by the kernel and by the
    /// device.
    counted: [u32; 3],
    /// How long frames may be in a block that the kernel has not handed over yet.
    late: Duration,
}

impl Nlmon {
    /// Opens the device, with a kernel buffer of so many bytes. Only the protocols that
    /// are named are captured. Frames are handed over after `delay` milliseconds at the
    /// latest.
    ///
    /// libpcap's immediate mode would hand over each at once, and give each the room of the
    /// longest one in the buffer: of 16 MiB, 64 frames would fill it.
    ///
    /// # Errors
    ///
    /// There is no such device, it is none of netlink, or this process may not.
    pub(super) fn open(
        name: &str,
        buffer: i32,
        delay: i32,
        protocols: Option<&[u16]>,
    ) -> anyhow::Result<Self> {
        let inactive = Capture::from_device(name)
            .with_context(|| format!("cannot capture on {name}"))?
            .timeout(delay)
            .precision(Precision::Nano)
            .snaplen(SNAPLEN)
            .buffer_size(buffer);
        let mut capture = inactive.open().map_err(|error| refused(name, &error))?;
        // The companion is not to have it.
        rustix::io::fcntl_setfd(capture.as_fd(), FdFlags::CLOEXEC)
            .with_context(|| format!("cannot capture on {name}"))?;
        let link = capture.get_datalink();
        if link.0 != LINKTYPE_NETLINK {
            let link = link.get_name().unwrap_or_else(|_| link.0.to_string());
            return Err(anyhow!(
                "{name} is no nlmon device: its link type is {link}"
            ));
        }
        if let Some(program) = protocols.map(program) {
            capture
                .filter(&program, true)
                .with_context(|| format!("cannot filter in the kernel with \"{program}\""))?;
        }
        let capture = capture
            .setnonblock()
            .map_err(|error| refused(name, &error))?;
        Ok(Self {
            capture,
            name: name.to_owned(),
            counted: [0; 3],
            late: Duration::from_millis(delay.unsigned_abs().into()) * LATE + LATER,
        })
    }

    /// Hands out frames until `stop` is readable or nobody listens.
    pub(super) fn run(mut self, place: Place, desk: &Desk, stop: &OwnedFd) -> Result<(), Stop> {
        let mut batch = Batch::default();
        let mut told = Losses {
            interface: place.interface,
            ..Losses::default()
        };
        let mut counted = Instant::now();
        let mut count_soon = false;
        loop {
            let more = self.read(place, &mut batch);
            count_soon |= batch.len() > 0;
            // Also where it broke off.
            desk.take(&mut batch)?;
            let more = more?;
            if count_soon && counted.elapsed() >= COUNT_EVERY {
                self.count(&mut told, desk)?;
                counted = Instant::now();
                count_soon = false;
            }
            // What there is to read does not keep it from being stopped.
            let at_once = more.then_some(Duration::ZERO);
            let soon = count_soon.then_some(COUNT_AFTER);
            let due = at_once.into_iter().chain(desk.due()).chain(soon);
            let timeout = due.min().and_then(|due| Timespec::try_from(due).ok());
            let mut wait = [
                PollFd::from_borrowed_fd(self.capture.as_fd(), PollFlags::IN),
                PollFd::new(stop, PollFlags::IN),
            ];
            match poll(&mut wait, timeout.as_ref()) {
                Ok(_) | Err(Errno::INTR) => {}
                Err(errno) => return Err(self.broken(&errno.to_string())),
            }
            if !wait[1].revents().is_empty() {
                self.read_rest(place, &mut batch, desk)?;
                return self.count(&mut told, desk);
            }
        }
    }

    /// Hands out what was captured by now, which the kernel hands over a little later.
    fn read_rest(&mut self, place: Place, batch: &mut Batch, desk: &Desk) -> Result<(), Stop> {
        let (now, end) = (now(), Instant::now() + self.late);
        loop {
            let more = self.read(place, batch);
            let later = batch.latest() > Some(now);
            desk.take(batch)?;
            let left = end.saturating_duration_since(Instant::now());
            match more? {
                _ if later => return Ok(()),
                true => continue,
                false if left.is_zero() => return Ok(()),
                false => {}
            }
            let mut wait = [PollFd::from_borrowed_fd(
                self.capture.as_fd(),
                PollFlags::IN,
            )];
            let left = Timespec::try_from(left).ok();
            match poll(&mut wait, left.as_ref()) {
                Ok(_) | Err(Errno::INTR) => {}
                Err(errno) => return Err(self.broken(&errno.to_string())),
            }
        }
    }

    /// Reads what is there; whether there may be more.
    fn read(&mut self, place: Place, batch: &mut Batch) -> Result<bool, Stop> {
        while batch.len() < BATCH {
            match self.capture.next_packet() {
                Ok(packet) => {
                    let time = &packet.header.ts;
                    // The fraction is in nanoseconds, as it was asked for.
                    let nanoseconds = time.tv_sec * 1_000_000_000 + time.tv_usec;
                    batch.add(place, Time(nanoseconds), packet.data, packet.header.len);
                }
                Err(Error::TimeoutExpired | Error::NoMorePackets) => return Ok(false),
                Err(error) => return Err(self.broken(&words(&error))),
            }
        }
        Ok(true)
    }

    /// Tells what was received and dropped by now.
    fn count(&mut self, told: &mut Losses, desk: &Desk) -> Result<(), Stop> {
        let Ok(stat) = self.capture.stats() else {
            return Ok(());
        };
        // libpcap counts in 32 bits, and asks often enough that they go round once at most.
        let more = |now: u32, before: &mut u32| {
            let more = now.wrapping_sub(*before);
            *before = now;
            u64::from(more)
        };
        told.received += more(stat.received, &mut self.counted[0]);
        told.dropped += more(stat.dropped, &mut self.counted[1]);
        told.dropped += more(stat.if_dropped, &mut self.counted[2]);
        desk.tell_losses(*told)
    }

    fn broken(&self, text: &str) -> Stop {
        Stop::Error(SourceError::Damaged(format!("{}: {text}", self.name)))
    }
}

/// A filter of libpcap that passes these protocols: the last two bytes of the cooked
/// header.
fn program(protocols: &[u16]) -> String {
    let tests: Vec<_> = protocols
        .iter()
        .map(|protocol| format!("link[14:2] = {protocol}"))
        .collect();
    if tests.is_empty() {
        // Nothing passes.
        return "link[14:2] = 0xffff".to_owned();
    }
    tests.join(" or ")
}

fn refused(name: &str, error: &Error) -> anyhow::Error {
    let text = words(error);
    // libpcap has no code for it in this error.
    if text.contains("permission") || text.contains("not permitted") {
        return Unprivileged::new("capturing on nlmon", &NEEDED).into();
    }
    anyhow!("cannot capture on {name}: {text}")
}

/// What libpcap says.
fn words(error: &Error) -> String {
    match error {
        Error::PcapError(text) => text.clone(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn protocols_are_two_bytes_of_the_cooked_header() {
        assert_eq!(program(&[0, 16]), "link[14:2] = 0 or link[14:2] = 16");
        assert_eq!(program(&[]), "link[14:2] = 0xffff");
    }
}
