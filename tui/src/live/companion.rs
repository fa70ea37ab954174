//! The part that keeps its privileges when the rest has given up its own: a process of
//! ours that looks up who has a port, watches the netlink sockets, and takes away the
//! device that was made, however the program ends. It never sees captured bytes.
//!
//! Questions go in and answers come out as a line of JSON each. When no more questions
//! can come, it clears up and ends.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::io::{self, BufRead, BufReader, Write};
use std::os::unix::process::CommandExt;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use nlscope_dissector::capture::Process;
use nlscope_dissector::wire::{Messages, Order, protocol};
use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;
use rustix::process::getppid;
use serde::{Deserialize, Serialize};
use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM};
use signal_hook::flag;

use super::device::Made;
use super::netns::{NamedFile, Netns, inside};
use super::scan::{Namespace, Owners, Scanner, likely, named};
use super::socket::NetlinkSocket;
use super::{Namespaces, device};
use crate::cli::CompanionArgs;
use crate::source::{PortUse, Socket, SocketChange, SocketId, SocketKey};

/// How often the sockets are looked at when nothing happens, and how much longer that is than
/// a look at the least: on a machine with very many sockets it is one hundredth of the time
/// of a processor.
const EVERY: Duration = Duration::from_secs(1);
const EVERY_LOOKS: u32 = 100;
/// The same for looks when something happens: a tenth.
const APART: Duration = Duration::from_millis(10);
const APART_LOOKS: u32 = 10;
/// How long after a program began it is looked at: by then it has its sockets.
const BEGUN: Duration = Duration::from_millis(3);
/// How many things wait at most that it wakes up for.
const WAKES: usize = 1 << 12;
/// How many programs are remembered that have begun.
const REMEMBERED: usize = 4096;

/// What the companion says.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Answer {
    /// A socket of its own.
    Own(SocketKey),
    /// Somebody uses a port.
    Port(PortUse),
    /// Something happened to a socket.
    Socket(SocketChange),
    /// A network namespace was deleted, by its number: whoever captures there keeps it alive.
    Deleted(u32),
    /// Something does not work.
    Trouble(String),
    /// All its sockets are told; from now on it uses them.
    Ready,
    /// The sockets that there are at the beginning are told.
    Looked,
}

/// Where questions go.
#[derive(Debug, Clone)]
pub(super) struct Questions(Arc<Mutex<Option<ChildStdin>>>);

impl Questions {
    /// Who has this port? The answer comes when there is one.
    pub(super) fn who_has(&self, key: SocketKey) {
        let mut input = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(pipe) = input.as_mut() else {
            return;
        };
        let Ok(mut line) = serde_json::to_string(&key) else {
            return;
        };
        line.push('\n');
        // A line is written as a whole or not at all (PIPE_BUF in pipe(7)).
        match pipe.write_all(line.as_bytes()) {
            Ok(()) => {}
            // It has more to do than it can; frames do not wait for it.
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            // It is gone; it said why, if it could.
            Err(_) => *input = None,
        }
    }
}

/// The companion, seen from the program.
pub(super) struct Companion {
    child: Child,
    questions: Questions,
}

impl Companion {
    /// Starts it, and gives its output, which has to be dropped before it: the companion
    /// may wait for somebody to read. It takes away the devices that were `made` at the end:
    /// number of the network namespace, and which.
    ///
    /// # Errors
    ///
    /// The program cannot be started once more.
    pub(super) fn start(
        netns: &[Netns],
        made: Vec<(u32, Made)>,
    ) -> anyhow::Result<(ChildStdout, Self)> {
        let program = std::env::current_exe().context("cannot find the program itself")?;
        let mut command = Command::new(program);
        command.arg0("nlscope").arg("companion");
        for netns in netns {
            command.arg("--netns").arg(&netns.name);
        }
        for (netns, Made { index, .. }) in &made {
            command.arg("--remove").arg(format!("{netns}:{index}"));
        }
        // From now on the claim is the companion's.
        drop(made);
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            // What ends the program from its terminal must not end this before it is done.
            .process_group(0)
            .spawn()
            .context("cannot start the program once more")?;
        let (Some(input), Some(output)) = (child.stdin.take(), child.stdout.take()) else {
            anyhow::bail!("no pipe to the companion");
        };
        rustix::io::ioctl_fionbio(&input, true).context("no pipe to the companion")?;
        let questions = Questions(Arc::new(Mutex::new(Some(input))));
        Ok((output, Self { child, questions }))
    }

    /// Where to ask.
    pub(super) fn questions(&self) -> Questions {
        self.questions.clone()
    }
}

/// Ends it, and waits until it has cleared up.
impl Drop for Companion {
    fn drop(&mut self) {
        let input = self.questions.0.lock();
        input.unwrap_or_else(PoisonError::into_inner).take();
        // It ends by itself; how does not matter any more.
        let _ = self.child.wait();
    }
}

/// The answers of a companion, until it ends.
pub(super) fn answers(output: ChildStdout) -> impl Iterator<Item = Answer> {
    let lines = BufReader::new(output).lines();
    lines
        .map_while(Result::ok)
        .filter_map(|line| serde_json::from_str(&line).ok())
}

/// What the companion wakes up for.
enum Wake {
    Question(SocketKey),
    /// A program begins: its process id.
    Exec(u32),
    /// Nobody asks any more.
    End,
}

/// The companion itself: what the program does when it is started as one.
///
/// # Errors
///
/// Nobody takes the answers, or a device is still there.
pub(crate) fn run(args: &CompanionArgs) -> anyhow::Result<()> {
    // Whose devices they are: anybody may start a companion.
    let owner = getppid().map_or(0, |pid| pid.as_raw_nonzero().get().cast_unsigned());
    // What ends us is that nobody asks any more: not before the devices are gone.
    for signal in [SIGTERM, SIGHUP, SIGINT, SIGQUIT] {
        flag::register(signal, Arc::default()).context("cannot ignore a signal")?;
    }
    let namespaces = Namespaces(&args.netns);
    let mut made = Vec::new();
    for (netns, index) in args.remove.iter().copied() {
        made.push(namespaces.inside(netns, || MadeIn::open(netns, index))?);
    }
    let watched = watch(args, &mut made);
    // Whatever came of that.
    let mut removed = Ok(());
    for device in &made {
        removed = removed.and(device::remove(&device.socket, device.index, owner));
    }
    Ok(removed?).and(watched)
}

/// Watches the sockets and answers until nobody asks any more.
fn watch(args: &CompanionArgs, made: &mut Vec<MadeIn>) -> anyhow::Result<()> {
    let (sender, wakes) = sync_channel(WAKES);
    let mut watch = Watch::open(args, made, &sender)?;
    spawn("questions", move || {
        for line in io::stdin().lock().lines().map_while(Result::ok) {
            if let Ok(key) = serde_json::from_str(&line) {
                let _ = sender.send(Wake::Question(key));
            }
        }
        let _ = sender.send(Wake::End);
    })?;
    let watched = say(&Answer::Ready).and_then(|()| watch.watch(&wakes));
    if let Some(events) = &watch.process_events {
        // Else older kernels go on making events for nobody.
        let _ = switch_process_events(events, false);
    }
    watched
}

fn spawn(name: &str, work: impl FnOnce() + Send + 'static) -> anyhow::Result<()> {
    thread::Builder::new()
        .name(name.to_owned())
        .spawn(work)
        .context("cannot start a thread")?;
    Ok(())
}

/// The sockets, as they were seen last.
struct Watch<'a> {
    scanners: Vec<Scanner>,
    /// The files that name network namespaces, by their numbers.
    named: Vec<(u32, NamedFile)>,
    /// What is taken away at the end.
    made: &'a mut Vec<MadeIn>,
    /// Where the kernel tells of processes, if it does.
    process_events: Option<Arc<NetlinkSocket>>,
    owners: Owners,
    seen: BTreeMap<SocketId, Socket>,
    /// Inodes that nobody was found for.
    orphans: HashSet<u32>,
    /// Programs that began, by process id.
    begun: HashMap<u32, Process>,
    order: VecDeque<u32>,
    first: bool,
    /// When the last look ended, and how long it took.
    looked: Instant,
    took: Duration,
    trouble: bool,
}

/// A device in a network namespace, and a socket there to take it away.
struct MadeIn {
    netns: u32,
    index: u32,
    socket: NetlinkSocket,
    _claim: Option<Made>,
}

impl MadeIn {
    /// The device with this index in network namespace number `netns`, that of the calling
    /// thread.
    fn open(netns: u32, index: u32) -> anyhow::Result<Self> {
        Ok(Self {
            netns,
            index,
            _claim: Made::claim(index)?,
            socket: NetlinkSocket::open(protocol::ROUTE)?,
        })
    }
}

impl<'a> Watch<'a> {
    fn open(
        args: &CompanionArgs,
        made: &'a mut Vec<MadeIn>,
        wakes: &SyncSender<Wake>,
    ) -> anyhow::Result<Self> {
        let namespaces = Namespaces(&args.netns);
        for device in made.iter() {
            say(&Answer::Own(device.socket.key(device.netns)))?;
        }
        let (mut scanners, mut named) = (Vec::new(), Vec::new());
        for (number, netns) in namespaces.numbered() {
            named.extend(netns.and_then(NamedFile::of).map(|file| (number, file)));
            match inside(netns, || Ok(Scanner::open(number)?)) {
                Ok(scanner) => {
                    say(&Answer::Own(scanner.key()))?;
                    scanners.push(scanner);
                }
                Err(error) => say(&Answer::Trouble(format!("sockets are not seen: {error:#}")))?,
            }
        }
        // Only root in the first namespaces may; without it less is known.
        let process_events = process_events().ok().map(Arc::new);
        if let Some(socket) = process_events.clone() {
            // Only the first network namespace has the protocol.
            say(&Answer::Own(socket.key(0)))?;
            let wakes = wakes.clone();
            spawn("processes", move || begun(&socket, &wakes))?;
        }
        Ok(Self {
            scanners,
            named,
            made,
            process_events,
            owners: Owners::default(),
            seen: BTreeMap::new(),
            orphans: HashSet::new(),
            begun: HashMap::new(),
            order: VecDeque::new(),
            first: true,
            looked: Instant::now(),
            took: Duration::ZERO,
            trouble: false,
        })
    }

    /// Looks and answers until nobody asks any more.
    fn watch(&mut self, wakes: &Receiver<Wake>) -> anyhow::Result<()> {
        self.look()?;
        say(&Answer::Looked)?;
        let mut due = self.looked + self.every();
        loop {
            let wait = due.saturating_duration_since(Instant::now());
            match wakes.recv_timeout(wait) {
                Ok(Wake::Question(key)) => self.answer(key)?,
                Ok(Wake::Exec(pid)) => {
                    self.remember(pid);
                    due = due.min((self.looked + self.apart()).max(Instant::now() + BEGUN));
                }
                Ok(Wake::End) | Err(RecvTimeoutError::Disconnected) => return Ok(()),
                Err(RecvTimeoutError::Timeout) => {
                    self.look()?;
                    due = self.looked + self.every();
                }
            }
        }
    }

    /// How long after the last look the next one is at the latest.
    fn every(&self) -> Duration {
        EVERY.max(self.took.saturating_mul(EVERY_LOOKS))
    }

    /// How long after it the next one is at the earliest.
    fn apart(&self) -> Duration {
        APART.max(self.took.saturating_mul(APART_LOOKS))
    }

    fn remember(&mut self, pid: u32) {
        // In which network namespace it will be, nobody knows yet.
        let Some(process) = named(pid, false) else {
            return;
        };
        if self.begun.insert(pid, process).is_none() {
            self.order.push_back(pid);
        }
        if self.order.len() > REMEMBERED
            && let Some(oldest) = self.order.pop_front()
        {
            self.begun.remove(&oldest);
        }
    }

    fn answer(&mut self, key: SocketKey) -> anyhow::Result<()> {
        let id = SocketId::from(key);
        if !self.seen.contains_key(&id) && self.looked.elapsed() >= self.apart() {
            self.look()?;
        }
        let seen = self.seen.get(&id).and_then(|socket| socket.process.clone());
        let process = seen.or_else(|| {
            let namespace = self.namespace(key.netns)?;
            let alive = likely(key.port, namespace);
            alive.or_else(|| self.begun.get(&key.port).cloned())
        });
        match process {
            Some(process) => say(&Answer::Port(PortUse { key, process })),
            None => Ok(()),
        }
    }

    /// Looks at all sockets and tells what is new.
    fn look(&mut self) -> anyhow::Result<()> {
        let begun = Instant::now();
        self.leave_deleted()?;
        let mut sockets = Vec::new();
        for scanner in &self.scanners {
            match scanner.sockets() {
                Ok(found) => sockets.extend(found),
                Err(error) if !self.trouble => {
                    self.trouble = true;
                    say(&Answer::Trouble(format!("sockets are not seen: {error}")))?;
                }
                Err(_) => {}
            }
        }
        self.find_owners(&mut sockets);
        let now: BTreeMap<SocketId, Socket> = sockets
            .into_iter()
            .map(|socket| (socket.id(), socket))
            .collect();
        for (id, socket) in &now {
            let socket = socket.clone();
            match self.seen.get(id) {
                None if self.first => say(&Answer::Socket(SocketChange::Present(socket)))?,
                None => say(&Answer::Socket(SocketChange::Opened(socket)))?,
                Some(before) if before.inode != socket.inode => {
                    say(&Answer::Socket(SocketChange::Released(*id)))?;
                    say(&Answer::Socket(SocketChange::Opened(socket)))?;
                }
                Some(before) if *before != socket => {
                    say(&Answer::Socket(SocketChange::Changed(socket)))?;
                }
                Some(_) => {}
            }
        }
        for id in self.seen.keys().filter(|id| !now.contains_key(*id)) {
            say(&Answer::Socket(SocketChange::Released(*id)))?;
        }
        self.seen = now;
        self.first = false;
        self.looked = Instant::now();
        self.took = self.looked - begun;
        Ok(())
    }

    /// The network namespace with this number, if it is one of those that are looked at.
    fn namespace(&self, number: u32) -> Option<Namespace> {
        let mut scanners = self.scanners.iter();
        scanners
            .find(|scanner| scanner.netns() == number)
            .map(Scanner::namespace)
    }

    /// Lets go of network namespaces that were deleted.
    fn leave_deleted(&mut self) -> anyhow::Result<()> {
        for (number, _) in self.named.extract_if(.., |(_, file)| file.is_gone()) {
            self.scanners.retain(|scanner| scanner.netns() != number);
            self.made.retain(|device| device.netns != number);
            say(&Answer::Deleted(number))?;
        }
        Ok(())
    }

    fn find_owners(&mut self, sockets: &mut [Socket]) {
        // The kernel's own sockets have none.
        let inodes = sockets.iter().map(|socket| socket.inode);
        let inodes: HashSet<u32> = inodes.filter(|inode| *inode != 0).collect();
        self.owners.keep(&inodes);
        self.orphans.retain(|inode| inodes.contains(inode));
        let mut missing = HashSet::new();
        for socket in sockets.iter_mut().filter(|it| it.inode != 0) {
            socket.process = self.owners.of(socket.inode, socket.key.port);
            if socket.process.is_none() && !self.orphans.contains(&socket.inode) {
                missing.insert(socket.inode);
            }
        }
        self.owners.find_all(&missing);
        for socket in sockets.iter_mut().filter(|it| missing.contains(&it.inode)) {
            socket.process = self.owners.of(socket.inode, socket.key.port);
            if socket.process.is_none() {
                self.orphans.insert(socket.inode);
            }
        }
        // Whose files we may not see may still be told by the port.
        for socket in sockets.iter_mut().filter(|it| it.process.is_none()) {
            let port = Some(socket.key.port).filter(|port| *port != 0);
            let namespace = self.namespace(socket.key.netns);
            socket.process = port.and_then(|port| likely(port, namespace?));
        }
    }
}

/// Writes an answer at once.
fn say(answer: &Answer) -> anyhow::Result<()> {
    let mut line = serde_json::to_string(answer)?;
    line.push('\n');
    let mut out = io::stdout().lock();
    out.write_all(line.as_bytes())?;
    Ok(out.flush()?)
}

// The process events of the connector (linux/connector.h, linux/cn_proc.h): `struct
// proc_event` behind the `struct cn_msg`.
const CN_IDX_PROC: u32 = 1;
const PROC_CN_MCAST_LISTEN: u32 = 1;
const PROC_CN_MCAST_IGNORE: u32 = 2;
const CN_MSG_LEN: usize = 20;
const PROC_EVENT_EXEC: u32 = 2;
const NLMSG_DONE: u16 = 3;

/// A socket that is told of processes. Whoever else has joined the group is then told, too.
fn process_events() -> io::Result<NetlinkSocket> {
    let socket = NetlinkSocket::open(protocol::CONNECTOR)?;
    socket.join(CN_IDX_PROC)?;
    switch_process_events(&socket, true)?;
    Ok(socket)
}

/// Switches the process events of the connector on or off: the kernel counts who wants them,
/// beside the members of the group. Only root may.
fn switch_process_events(socket: &NetlinkSocket, on: bool) -> io::Result<()> {
    let op = if on {
        PROC_CN_MCAST_LISTEN
    } else {
        PROC_CN_MCAST_IGNORE
    };
    // `struct cn_msg` with `enum proc_cn_mcast_op` as its data.
    let mut message = Vec::with_capacity(24);
    for word in [CN_IDX_PROC, 1, 0, 0] {
        message.extend(word.to_ne_bytes());
    }
    message.extend(4_u16.to_ne_bytes());
    message.extend(0_u16.to_ne_bytes());
    message.extend(op.to_ne_bytes());
    socket.send(&socket.message(NLMSG_DONE, 0, &message))
}

/// Tells of each program that begins.
fn begun(socket: &NetlinkSocket, wakes: &SyncSender<Wake>) {
    let mut buffer = [0; 4096];
    let mut wait = [PollFd::new(socket, PollFlags::IN)];
    loop {
        // Ends with the process.
        match poll(&mut wait, None) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(_) => return,
        }
        let Ok(received) = socket.receive(&mut buffer) else {
            continue;
        };
        let datagram = buffer.get(..received.len).unwrap_or_default();
        for message in Messages::new(protocol::CONNECTOR, datagram, 0, Order::NATIVE) {
            if let Some(pid) = executed(message.payload()) {
                // What it cannot look at in time it need not know.
                let _ = wakes.try_send(Wake::Exec(pid));
            }
        }
    }
}

/// The process id of an exec event: kind, processor, time of 8 bytes, then the thread's
/// id and the process's.
fn executed(payload: &[u8]) -> Option<u32> {
    let event = payload.get(CN_MSG_LEN..)?;
    let word = |at: usize| Some(Order::NATIVE.u32(*event.get(at..)?.first_chunk()?));
    (word(0)? == PROC_EVENT_EXEC).then(|| word(20))?
}

/// The sockets of some network namespaces, watched.
pub(crate) struct WatchedSockets {
    // Ends before the companion is waited for.
    answers: Box<dyn Iterator<Item = Answer>>,
    _companion: Companion,
}

/// Watches the sockets of these network namespaces, or of the own one.
///
/// # Errors
///
/// The program cannot be started once more.
pub(crate) fn watch_sockets(netns: &[Netns]) -> anyhow::Result<WatchedSockets> {
    let (output, companion) = Companion::start(netns, Vec::new())?;
    Ok(WatchedSockets {
        answers: Box::new(answers(output)),
        _companion: companion,
    })
}

impl WatchedSockets {
    /// Those that are there at the beginning.
    ///
    /// # Errors
    ///
    /// The kernel does not tell.
    pub(crate) fn first(&mut self) -> anyhow::Result<Vec<Socket>> {
        let mut sockets = Vec::new();
        for answer in self.answers.by_ref() {
            match answer {
                Answer::Socket(SocketChange::Present(socket)) => sockets.push(socket),
                Answer::Looked => return Ok(sockets),
                Answer::Trouble(text) => anyhow::bail!(text),
                Answer::Socket(_)
                | Answer::Own(..)
                | Answer::Ready
                | Answer::Port(_)
                | Answer::Deleted(_) => {}
            }
        }
        anyhow::bail!("the process that looks at the sockets ended before it had")
    }
}

impl Iterator for WatchedSockets {
    type Item = anyhow::Result<SocketChange>;

    fn next(&mut self) -> Option<Self::Item> {
        self.answers.by_ref().find_map(|answer| match answer {
            Answer::Socket(change) => Some(Ok(change)),
            Answer::Trouble(text) => Some(Err(anyhow::anyhow!(text))),
            _ => None,
        })
    }
}
