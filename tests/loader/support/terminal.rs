//! A pseudo-terminal: what a command prints to the person in front of it.

use std::{
    fs::File,
    io::Read,
    process::{ChildStdin, Command, ExitStatus, Stdio},
    thread,
};

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

/// Runs a command whose standard error is a terminal, while `feed` writes to its standard input.
pub(crate) fn on_a_terminal(mut command: Command, feed: impl FnOnce(ChildStdin)) -> (ExitStatus, String) {
    let controller = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&controller).unwrap();
    unlockpt(&controller).unwrap();
    let terminal = ptsname(&controller, Vec::new()).unwrap().into_string().unwrap();
    let terminal = fs_err::OpenOptions::new().write(true).open(terminal).unwrap().into_parts().0;
    command.env("TERM", "xterm").stdin(Stdio::piped()).stderr(terminal);
    let mut running = command.spawn().unwrap();
    // Only the program may hold the terminal open, so that reading it ends with the program.
    drop(command);
    let reader = thread::spawn(move || {
        let (mut said, mut bytes) = (Vec::new(), [0; 4096]);
        let mut controller = File::from(controller);
        // On Linux, reading a terminal that nobody holds open any more is an error.
        while let Ok(length @ 1..) = controller.read(&mut bytes) {
            said.extend_from_slice(&bytes[..length]);
        }
        String::from_utf8(said).unwrap()
    });
    feed(running.stdin.take().unwrap());
    (running.wait().unwrap(), reader.join().unwrap())
}
