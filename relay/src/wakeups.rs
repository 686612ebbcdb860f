//! How often a thread wakes. To wake for each packet costs more than to forward it, so that a thread that has just
//! handled packets sleeps before it looks again, as network cards do with interrupts: what comes meanwhile is read,
//! forwarded and written together. What comes to a thread that has been idle does not wait.
//!
//! A timer of the runtime would be coarser (whole milliseconds, rounded up twice) and costs three system calls; and while it
//! runs, each packet still wakes the thread.

use std::cell::Cell;
use std::io;
use std::thread;
use std::time::{Duration, Instant};

use tokio::runtime::{Builder, Runtime};
use tokio::task::{spawn_local, yield_now};

/// Shortest time from one wake-up of a thread to the next. A thread that is busy for longer does not sleep. It is what a packet
/// waits at most where one thread has its sender, room and receiver, or any thread may take over from another; if three
/// threads that do not have one each, it may meet all of them asleep, and waits half of it at each on average.
pub const INTERVAL: Duration = Duration::from_millis(2);

/// What a packet wakes one after the other on its sender's thread: the room, and then the sessions and connections of its
/// receivers.
const STEPS: usize = 2;

thread_local! {
    /// When this thread woke, until it sleeps again.
    static WOKE: Cell<Option<Instant>> = const { Cell::new(None) };
}

/// A runtime on all cores whose threads keep the interval.
///
/// # Errors
/// If the system refuses threads or descriptors.
pub(crate) fn runtime() -> io::Result<Runtime> {
    moderated(&mut Builder::new_multi_thread()).build()
}

fn moderated(builder: &mut Builder) -> &mut Builder {
    builder
        .enable_all()
        .on_thread_unpark(|| WOKE.set(Some(Instant::now())))
        .on_thread_park(sleep_out_the_interval)
}

/// The same for the thread of a runtime of one thread that somebody else has built, called in a `LocalSet` whenever a packet
/// was read: lets everything run that follows from the packets of this wake-up, then sleeps.
pub fn woke() {
    if WOKE.get().is_some() {
        return;
    }
    WOKE.set(Some(Instant::now()));
    spawn_local(async {
        for _ in 0..STEPS {
            yield_now().await;
        }
        sleep_out_the_interval();
    });
}

fn sleep_out_the_interval() {
    if let Some(woke) = WOKE.take() {
        thread::sleep(INTERVAL.saturating_sub(woke.elapsed()));
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::mpsc;
    use tokio::task::LocalSet;

    use super::*;

    const MESSAGES: usize = 400;

    /// Another thread sends many messages one by one. Whoever reads them finds all of them, in far fewer wake-ups.
    async fn reads_together(found_some: impl Fn()) {
        let (sender, mut messages) = mpsc::unbounded_channel();
        let started = Instant::now();
        let sending = thread::spawn(move || {
            for message in 0..MESSAGES {
                sender.send(message).unwrap();
                thread::sleep(Duration::from_micros(50));
            }
        });
        let (mut all, mut wakeups) = (Vec::new(), 0);
        while messages.recv_many(&mut all, MESSAGES).await > 0 {
            wakeups += 1;
            found_some();
        }
        sending.join().unwrap();
        assert!(all.into_iter().eq(0..MESSAGES));
        let intervals = started.elapsed().as_micros() / INTERVAL.as_micros();
        assert!(wakeups <= intervals + 2, "{wakeups} in {intervals}");
    }

    #[test]
    fn threads_of_the_runtime_keep_the_interval() {
        let runtime = moderated(Builder::new_multi_thread().worker_threads(1))
            .build()
            .unwrap();
        let reading = runtime.spawn(reads_together(|| ()));
        runtime.block_on(reading).unwrap();
    }

    #[tokio::test]
    async fn a_thread_of_its_own_keeps_the_interval() {
        LocalSet::new().run_until(reads_together(woke)).await;
    }
}
