//! A sandbox cannot be left, so that each test runs itself once more as a process of its
//! own.

use std::collections::HashMap;
use std::env;
use std::fmt::Debug;
use std::fs::{File, OpenOptions, Permissions};
use std::io::{self, ErrorKind, Read as _, Write as _};
use std::net::{TcpListener, UdpSocket};
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::{SocketAddr, UnixListener, UnixStream};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Instant, SystemTime};

use landlock::{CompatLevel, Compatible as _};
use std::os::fd::OwnedFd;

use rustix::net::netlink::SocketAddrNetlink;
use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType};
use rustix::process::{DumpableBehavior, Signal, WaitOptions};

use super::*;
use crate::netlink::NATIVE;

/// Says to the process that is started for a test which folder it has.
const FOLDER: &str = "SANDBOX_TEST_FOLDER";
/// What that process says when it has come to the end.
const DONE: &str = "the sandbox was tried to the end";
/// What is always there and everyone may read.
const READABLE: &str = "/etc/passwd";

/// A folder for one test, with a folder `open` and a folder `closed`.
struct Folder(PathBuf);

impl Folder {
    fn new(test: &str) -> Self {
        let name = format!("sandbox-{}-{test}", std::process::id());
        let folder = Self(env::temp_dir().join(name));
        fs::create_dir_all(folder.0.join("open/deeper")).unwrap();
        fs::create_dir(folder.0.join("closed")).unwrap();
        folder
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // A test may have closed it.
        let _ = fs::set_permissions(self.0.join("open"), Permissions::from_mode(0o700));
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// This test once more, in a process of its own.
fn once_more(test: &str, folder: &Folder) -> Command {
    let (_, module) = module_path!().split_once("::").unwrap();
    let mut command = Command::new(env::current_exe().unwrap());
    command.args([&format!("{module}::{test}"), "--exact", "--nocapture"]);
    command.env(FOLDER, &folder.0);
    command
}

fn assert_done(output: &Output) {
    let said = String::from_utf8_lossy(&output.stdout);
    let wrong = String::from_utf8_lossy(&output.stderr);
    print!("{said}");
    assert!(output.status.success(), "{}: {said}{wrong}", output.status);
    assert!(said.contains(DONE), "{said}{wrong}");
}

/// Runs `body` in a process of its own, where it can close what cannot be opened again.
fn in_own_process(test: &str, body: impl FnOnce(&Path)) {
    if let Some(folder) = env::var_os(FOLDER) {
        body(Path::new(&folder));
        println!("{DONE}");
        return;
    }
    let folder = Folder::new(test);
    assert_done(&once_more(test, &folder).output().unwrap());
}

/// Whether the kernel has all these rights, or scopes.
fn has(rules: impl FnOnce(Ruleset) -> Result<Ruleset, RulesetError>) -> bool {
    rules(Ruleset::default().set_compatibility(CompatLevel::HardRequirement)).is_ok()
}

fn has_landlock() -> bool {
    has(|rules| rules.handle_access(AccessFs::from_all(ABI::V1)))
}

/// Enters the sandbox, says whether files are closed by it, and checks what it told.
fn enter(sandbox: &Sandbox) -> bool {
    let closed = has_landlock();
    let mut said = sandbox.enter_before_threads().into_iter();
    // Tests run on a thread, and another one waits for them.
    let threads = said.next().unwrap();
    assert!(threads.starts_with("threads that ran already"), "{threads}");
    let rest: Vec<_> = said.collect();
    if closed {
        assert_eq!(rest, Vec::<String>::new());
    } else {
        println!("skipped: no landlock");
        assert_eq!(rest.len(), 1, "{rest:?}");
        assert!(rest[0].contains("landlock"), "{rest:?}");
    }
    closed
}

fn close(sandbox: &Sandbox) {
    assert_eq!(sandbox.close_system_calls(), Vec::<String>::new());
}

#[track_caller]
fn refused<T: Debug>(tried: io::Result<T>, errno: i32) {
    assert_eq!(tried.unwrap_err().raw_os_error(), Some(errno));
}

/// All that rotating capture files takes.
fn rotate(folder: &Path) -> io::Result<()> {
    let (first, second) = (folder.join("first"), folder.join("second"));
    let mut file = File::create(&first)?;
    file.write_all(b"some bytes")?;
    file.sync_all()?;
    file.set_len(4)?;
    assert_eq!(file.metadata()?.len(), 4);
    OpenOptions::new()
        .append(true)
        .open(&first)?
        .write_all(b"more")?;
    fs::rename(&first, &second)?;
    assert_eq!(fs::metadata(&second)?.len(), 8);
    File::create(&second)?;
    assert_eq!(fs::metadata(&second)?.len(), 0);
    fs::remove_file(&second)
}

fn program() -> Command {
    Command::new("true")
}

#[test]
fn landlock_leaves_only_writing_below_the_folder() {
    in_own_process("landlock_leaves_only_writing_below_the_folder", |folder| {
        let (open, closed) = (folder.join("open"), folder.join("closed"));
        fs::write(closed.join("there"), b"secret").unwrap();
        fs::write(open.join("there"), b"captured").unwrap();
        let port = TcpListener::bind("127.0.0.1:0").is_ok();
        let name = SocketAddr::from_abstract_name(folder.as_os_str().as_encoded_bytes());
        let name = name.unwrap();
        let listener = UnixListener::bind_addr(&name).unwrap();
        rotate(&closed).unwrap();

        let closed_files = enter(&Sandbox::new(Writes::Files(open.clone())));

        rotate(&open).unwrap();
        rotate(&open.join("deeper")).unwrap();
        if !closed_files {
            return;
        }
        refused(File::open(READABLE), libc::EACCES);
        refused(File::open(open.join("there")), libc::EACCES);
        refused(fs::read_dir(&open), libc::EACCES);
        refused(File::create(closed.join("new")), libc::EACCES);
        refused(
            OpenOptions::new().append(true).open(closed.join("there")),
            libc::EACCES,
        );
        refused(fs::remove_file(closed.join("there")), libc::EACCES);
        refused(fs::create_dir(open.join("new")), libc::EACCES);
        refused(
            std::os::unix::fs::symlink("/", open.join("new")),
            libc::EACCES,
        );
        refused(program().status(), libc::EACCES);
        fs::rename(closed.join("there"), open.join("new")).unwrap_err();
        let later = thread::spawn(|| File::open(READABLE)).join().unwrap();
        refused(later, libc::EACCES);
        if has(|rules| rules.handle_access(AccessFs::Refer)) {
            fs::rename(open.join("there"), open.join("deeper/there")).unwrap();
        } else {
            println!("skipped: landlock has no renaming into other folders");
        }
        if port && has(|rules| rules.handle_access(AccessNet::BindTcp)) {
            refused(TcpListener::bind("127.0.0.1:0"), libc::EACCES);
        } else {
            println!("skipped: landlock has no TCP ports");
        }
        if has(|rules| rules.scope(Scope::AbstractUnixSocket)) {
            refused(UnixStream::connect_addr(&name), libc::EPERM);
        } else {
            println!("skipped: landlock has no abstract unix sockets");
        }
        drop(listener);
    });
}

#[test]
fn where_only_new_files_may_be_made_old_ones_stay() {
    in_own_process("where_only_new_files_may_be_made_old_ones_stay", |folder| {
        let open = folder.join("open");
        fs::write(open.join("there"), b"captured").unwrap();
        let sandbox = Sandbox::new(Writes::NewFiles(open.clone()));
        let closed_files = enter(&sandbox);
        let closed = sandbox.close_system_calls();
        let mut options = OpenOptions::new();
        let mut file = (options.write(true).create_new(true))
            .open(open.join("new"))
            .unwrap();
        file.write_all(b"frames").unwrap();
        file.set_len(3).unwrap();
        file.sync_all().unwrap();
        assert!(fs::remove_file(open.join("there")).is_err() || !closed_files);
        if closed.is_empty() {
            refused(File::create(open.join("there")), libc::EPERM);
            let appending = OpenOptions::new().append(true).open(open.join("there"));
            refused(appending, libc::EPERM);
        }
    });
}

#[test]
fn a_child_from_before_can_be_ended() {
    in_own_process("a_child_from_before_can_be_ended", |_| {
        let mut child = Command::new("sleep").arg("60").spawn().unwrap();
        enter(&Sandbox::new(Writes::Nothing));
        child.kill().unwrap();
        assert!(!child.wait().unwrap().success());
    });
}

#[test]
fn a_closed_process_still_does_its_work() {
    in_own_process("a_closed_process_still_does_its_work", |folder| {
        let open = folder.join("open");
        let mut echo = Command::new("cat")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let (mut near, mut far) = UnixStream::pair().unwrap();
        let netlink = netlink();
        let (questions, answers, older) = doubler();
        let sandbox = Sandbox::new(Writes::Files(open.clone()));
        enter(&sandbox);
        close(&sandbox);

        rotate(&open).unwrap();
        rotate(&open.join("deeper")).unwrap();
        near.write_all(b"wake").unwrap();
        let mut heard = [0; 4];
        far.read_exact(&mut heard).unwrap();
        assert_eq!(&heard, b"wake");
        assert!(interfaces(&netlink) > 0);
        questions.send(21).unwrap();
        assert_eq!(answers.recv_timeout(Duration::from_secs(60)), Ok(42));
        drop(questions);
        older.join().unwrap();
        let younger = thread::Builder::new().name("younger".to_owned());
        let sum = younger.spawn(add_up).unwrap().join().unwrap();
        assert_eq!(sum, add_up());
        let (start, day) = (Instant::now(), SystemTime::now());
        thread::sleep(Duration::from_millis(5));
        assert!(start.elapsed() >= Duration::from_millis(5));
        assert!(SystemTime::now() > day);
        println!("printing works");
        assert_eq!(through(&mut echo, b"question"), b"question");
        assert!(echo.wait().unwrap().success());
    });
}

/// A thread that doubles what it is sent.
fn doubler() -> (Sender<u32>, Receiver<u32>, JoinHandle<()>) {
    let (sender, questions) = channel();
    let (answer, receiver) = channel();
    let thread = thread::spawn(move || {
        for question in questions {
            answer.send(question * 2).unwrap();
        }
    });
    (sender, receiver, thread)
}

/// Takes memory of all sizes, growing, and a map with random seeds.
fn add_up() -> usize {
    let mut bytes = Vec::new();
    let mut lengths = HashMap::new();
    for power in 0..24 {
        bytes.resize(1 << power, 1_u8);
        lengths.insert(power, bytes.len());
    }
    lengths.values().sum()
}

/// Writes to a child and takes what it writes.
fn through(child: &mut Child, bytes: &[u8]) -> Vec<u8> {
    child.stdin.take().unwrap().write_all(bytes).unwrap();
    let mut heard = Vec::new();
    let mut output = child.stdout.take().unwrap();
    output.read_to_end(&mut heard).unwrap();
    heard
}

fn netlink() -> OwnedFd {
    // No protocol is NETLINK_ROUTE.
    let flags = SocketFlags::CLOEXEC;
    let socket = rustix::net::socket_with(AddressFamily::NETLINK, SocketType::RAW, flags, None);
    let socket = socket.unwrap();
    let kernel = SocketAddrNetlink::new(0, 0);
    rustix::net::bind(&socket, &kernel).unwrap();
    rustix::net::connect(&socket, &kernel).unwrap();
    socket
}

/// Asks for all interfaces: length of the first datagram of the answer.
fn interfaces(socket: &OwnedFd) -> usize {
    // `struct nlmsghdr` with RTM_GETLINK, NLM_F_REQUEST and NLM_F_DUMP, then an empty
    // `struct ifinfomsg`; linux/netlink.h, linux/rtnetlink.h.
    let question = NATIVE.message(18, 0x301, &[0; 16]);
    rustix::net::send(socket, &question, SendFlags::empty()).unwrap();
    let mut answer = vec![0_u8; 1 << 16];
    let (len, _) = rustix::net::recv(socket, &mut answer, RecvFlags::empty()).unwrap();
    len
}

/// Things a closed process must not do, and how they go.
fn attempts(folder: &Path) -> Vec<(&'static str, io::Result<()>)> {
    let parent = rustix::process::getppid().unwrap();
    let signalled = rustix::process::test_kill_process(parent);
    let dumpable = rustix::process::set_dumpable_behavior(DumpableBehavior::Dumpable);
    vec![
        ("read a file", File::open(READABLE).map(drop)),
        ("read a folder", fs::read_dir("/").map(drop)),
        ("make a folder", fs::create_dir(folder.join("new"))),
        ("remove a folder", fs::remove_dir(folder.join("new"))),
        ("make a socket", UdpSocket::bind("127.0.0.1:0").map(drop)),
        ("make a pair", UnixStream::pair().map(drop)),
        ("start a program", program().status().map(drop)),
        ("signal the parent", signalled.map_err(io::Error::from)),
        ("change how it is dumped", dumpable.map_err(io::Error::from)),
    ]
}

#[test]
fn a_closed_process_opens_nothing() {
    in_own_process("a_closed_process_opens_nothing", |folder| {
        for (what, tried) in attempts(folder) {
            assert!(tried.is_ok(), "{what}: {tried:?}");
        }
        rotate(folder).unwrap();
        let (ask, asked) = channel::<PathBuf>();
        let older = thread::spawn(move || attempts(&asked.recv().unwrap()));
        let sandbox = Sandbox::new(Writes::Nothing);
        enter(&sandbox);
        close(&sandbox);

        ask.send(folder.to_owned()).unwrap();
        let younger = thread::scope(|scope| scope.spawn(|| attempts(folder)).join());
        let all = [attempts(folder), older.join().unwrap(), younger.unwrap()];
        for (what, tried) in all.into_iter().flatten() {
            let errno = tried.as_ref().map_err(io::Error::raw_os_error);
            assert_eq!(errno, Err(Some(libc::EPERM)), "{what}");
        }
        refused(rotate(folder), libc::EPERM);
        assert_eq!(program().exec().raw_os_error(), Some(libc::EPERM));
    });
}

/// How many filters of system calls there are; no kernel before 5.9
/// says.
fn filters(mut status: File) -> Option<u32> {
    let mut text = String::new();
    status.read_to_string(&mut text).unwrap();
    let mut lines = text.lines();
    let count = lines.find_map(|line| line.strip_prefix("Seccomp_filters:"))?;
    Some(count.trim().parse().unwrap())
}

#[test]
fn both_filters_are_in_force() {
    in_own_process("both_filters_are_in_force", |_| {
        let status = || File::open("/proc/self/status").unwrap();
        let Some(before) = filters(status()) else {
            println!("skipped: filters are not counted");
            return;
        };
        let status = status();
        close(&Sandbox::new(Writes::Nothing));
        // It is written when it is read.
        assert_eq!(filters(status), Some(before + 2));
    });
}

#[test]
fn with_a_folder_files_still_open_for_writing_only() {
    in_own_process(
        "with_a_folder_files_still_open_for_writing_only",
        |folder| {
            let open = folder.join("open");
            fs::write(open.join("there"), b"captured").unwrap();
            let sandbox = Sandbox::new(Writes::Files(open.clone()));
            let closed_files = enter(&sandbox);
            close(&sandbox);

            let both = OpenOptions::new()
                .read(true)
                .write(true)
                .open(open.join("there"));
            refused(both, libc::EPERM);
            refused(File::open(READABLE), libc::EPERM);
            refused(fs::create_dir(open.join("new")), libc::EPERM);
            if closed_files {
                refused(File::create(folder.join("closed/new")), libc::EACCES);
            }
            rotate(&open).unwrap();
        },
    );
}

#[test]
fn a_closed_process_can_stop_and_go_on() {
    let test = "a_closed_process_can_stop_and_go_on";
    if env::var_os(FOLDER).is_some() {
        let sandbox = Sandbox::new(Writes::Nothing);
        enter(&sandbox);
        close(&sandbox);
        rustix::process::kill_process(rustix::process::getpid(), Signal::STOP).unwrap();
        // The signal may find another thread first: waits until it goes on.
        assert_eq!(io::stdin().read(&mut [0]).unwrap(), 0);
        // As job control signals; nobody minds this one.
        rustix::process::kill_current_process_group(Signal::CONT).unwrap();
        println!("{DONE}");
        return;
    }
    let folder = Folder::new(test);
    let mut command = once_more(test, &folder);
    command.process_group(0);
    command.stdin(Stdio::piped());
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let child = command.spawn().unwrap();
    let pid = rustix::process::Pid::from_child(&child);
    let stopped = rustix::process::waitpid(Some(pid), WaitOptions::UNTRACED).unwrap();
    assert!(stopped.unwrap().1.stopped());
    rustix::process::kill_process(pid, Signal::CONT).unwrap();
    assert_done(&child.wait_with_output().unwrap());
}

#[test]
fn a_folder_that_cannot_be_written_is_told() {
    in_own_process("a_folder_that_cannot_be_written_is_told", |folder| {
        let open = folder.join("open");
        // Root too keeps to it, once it has no capabilities.
        fs::set_permissions(&open, Permissions::from_mode(0o500)).unwrap();
        let said = Sandbox::new(Writes::Files(open.clone())).enter_before_threads();
        let wanted = format!("no files can be written in {}: ", open.display());
        assert!(said.iter().any(|line| line.contains(&wanted)), "{said:?}");
        let tried = File::create(open.join("new"));
        assert_eq!(tried.unwrap_err().kind(), ErrorKind::PermissionDenied);
    });
}

#[test]
fn the_parent_of_a_bare_file_name_is_the_current_folder() {
    let parent = Path::new("out.pcapng").parent().map(Path::to_owned);
    let writes = Writes::Files(parent.unwrap());
    assert_eq!(writes.folder(), Some(Path::new(".")));
}
