//! The bounded queue in which passwords are hashed.
//!
//! A hash takes 15 ms of one processor and 19 MiB. So as many are made at once as there are threads here, each with memory of its own
//! that it uses again and gives back after a rest; as many more may wait as the limits say; the next is told at once to come later.
//! The asking thread only awaits, so a server's other answers go on meanwhile. Any runtime will do.

use std::collections::VecDeque;
use std::fmt;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use grantor_jose::random::Random;
use thiserror::Error;
use tokio::sync::oneshot;

use crate::memory::Memory;
use crate::password::{self, Password, PasswordHash, Verdict};

/// Argon2 works in the memory that is handed to it; the stack holds a few of its blocks.
const STACK_BYTES: usize = 256 * 1024;

/// How much is hashed at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QueueLimits {
    /// How many hashes are made at once: as many processors as sign-ins may take. Each holds 19 MiB. Default 2.
    pub threads: usize,
    /// How many may wait. Default 64: half a second on two processors.
    pub waiting: usize,
    /// After which rest a thread gives its memory back. Default 5 s.
    pub rest: Duration,
}

impl Default for QueueLimits {
    fn default() -> Self {
        Self { threads: 2, waiting: 64, rest: Duration::from_secs(5) }
    }
}

/// Why there is no answer.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum QueueError {
    /// Too many wait already.
    #[error("too many passwords are being checked")]
    Busy,
    /// The hash could not be made.
    #[error("the password could not be hashed")]
    Failed,
}

/// Threads that hash, and those who wait for them. Dropping it ends the threads; who waits then gets [`QueueError::Failed`].
pub struct HashQueue {
    shared: Arc<Shared>,
    threads: Vec<JoinHandle<()>>,
}

impl HashQueue {
    /// Starts the threads.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn start(limits: QueueLimits) -> io::Result<Self> {
        let shared = Arc::new(Shared { limits, state: Mutex::default(), changed: Condvar::new() });
        let mut queue = Self { shared, threads: Vec::new() };
        for number in 0..limits.threads.max(1) {
            let shared = Arc::clone(&queue.shared);
            let thread = thread::Builder::new().name(format!("hash-{number}")).stack_size(STACK_BYTES);
            // A thread that fails to start drops the queue, which ends those before it.
            queue.threads.push(thread.spawn(move || shared.work())?);
        }
        Ok(queue)
    }

    /// Checks a password; `None` where there is no such user, which costs the same.
    pub async fn verify(&self, password: Password, hash: Option<PasswordHash>) -> Result<Verdict, QueueError> {
        let (answer, answered) = oneshot::channel();
        self.shared.push(Job::Verify { password, hash: hash.map(Box::new), answer })?;
        answered.await.map_err(|_| QueueError::Failed)
    }

    /// Hashes a new password with a salt from `random`.
    pub async fn hash(&self, password: Password, random: &Random) -> Result<PasswordHash, QueueError> {
        let (answer, answered) = oneshot::channel();
        self.shared.push(Job::Hash { password, random: random.clone(), answer })?;
        answered.await.map_err(|_| QueueError::Failed)
    }

    /// How many wait.
    pub fn waiting(&self) -> usize {
        self.shared.lock().jobs.len()
    }
}

impl Drop for HashQueue {
    fn drop(&mut self) {
        self.shared.stop();
        for thread in self.threads.drain(..) {
            // It ends by itself, and what it panicked with was told already.
            let _ = thread.join();
        }
    }
}

impl fmt::Debug for HashQueue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HashQueue").field("limits", &self.shared.limits).finish_non_exhaustive()
    }
}

enum Job {
    Hash { password: Password, random: Random, answer: oneshot::Sender<PasswordHash> },
    Verify { password: Password, hash: Option<Box<PasswordHash>>, answer: oneshot::Sender<Verdict> },
}

impl Job {
    /// Whether who asked has gone: the work would be for nobody.
    fn is_abandoned(&self) -> bool {
        match self {
            Self::Hash { answer, .. } => answer.is_closed(),
            Self::Verify { answer, .. } => answer.is_closed(),
        }
    }

    /// Does it. An answer that nobody takes any more is dropped; a failed hash drops its sender, and so says that it failed.
    fn run(self, memory: &mut Memory) {
        match self {
            Self::Hash { password, random, answer } => {
                if let Ok(hash) = password::hash(&password, &random, memory) {
                    let _ = answer.send(hash);
                }
            }
            Self::Verify { password, hash, answer } => {
                let _ = answer.send(password::verify(&password, hash.as_deref(), memory));
            }
        }
    }
}

#[derive(Default)]
struct State {
    jobs: VecDeque<Job>,
    /// Threads that wait for work: what they will take counts as taken.
    resting: usize,
    stopped: bool,
}

struct Shared {
    limits: QueueLimits,
    state: Mutex<State>,
    changed: Condvar,
}

impl Shared {
    fn push(&self, job: Job) -> Result<(), QueueError> {
        let mut state = self.lock();
        if state.stopped {
            return Err(QueueError::Failed);
        }
        if state.jobs.len() >= self.limits.waiting + state.resting {
            state.jobs.retain(|job| !job.is_abandoned());
        }
        if state.jobs.len() >= self.limits.waiting + state.resting {
            return Err(QueueError::Busy);
        }
        state.jobs.push_back(job);
        drop(state);
        self.changed.notify_one();
        Ok(())
    }

    fn work(&self) {
        let mut memory = Memory::default();
        while let Some(job) = self.next(&mut memory) {
            // A thread lost to a panic would make the queue slower for good.
            if catch_unwind(AssertUnwindSafe(|| job.run(&mut memory))).is_err() {
                memory.release();
            }
        }
    }

    /// The next job, or `None` when the queue ends.
    fn next(&self, memory: &mut Memory) -> Option<Job> {
        let mut state = self.lock();
        loop {
            if state.stopped {
                return None;
            }
            match state.jobs.pop_front() {
                Some(job) if job.is_abandoned() => {}
                Some(job) => return Some(job),
                None => state = self.rest(state, memory),
            }
        }
    }

    /// Waits for a change; gives `memory` back when none comes for a while.
    fn rest<'a>(&'a self, mut state: MutexGuard<'a, State>, memory: &mut Memory) -> MutexGuard<'a, State> {
        state.resting += 1;
        let mut state = if memory.held() == 0 {
            self.changed.wait(state).unwrap_or_else(PoisonError::into_inner)
        } else {
            let (state, rest) =
                self.changed.wait_timeout(state, self.limits.rest).unwrap_or_else(PoisonError::into_inner);
            if rest.timed_out() {
                memory.release();
            }
            state
        };
        state.resting -= 1;
        state
    }

    fn stop(&self) {
        let mut state = self.lock();
        state.stopped = true;
        // Dropping the jobs tells who waits.
        state.jobs.clear();
        drop(state);
        self.changed.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing under this lock can panic half-way.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use std::future::Future;
    use std::pin::{Pin, pin};
    use std::task::{Context, Waker};

    fn queue(threads: usize, waiting: usize) -> HashQueue {
        HashQueue::start(QueueLimits { threads, waiting, ..QueueLimits::default() }).unwrap()
    }

    fn password(typed: &str) -> Password {
        Password::parse(typed).unwrap()
    }

    fn block_on<F: Future>(future: F) -> F::Output {
        tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
    }

    fn poll<F: Future>(future: Pin<&mut F>) -> std::task::Poll<F::Output> {
        future.poll(&mut Context::from_waker(Waker::noop()))
    }

    #[test]
    fn a_password_is_hashed_and_checked() {
        let queue = queue(1, 1);
        block_on(async {
            let hash = queue.hash(password("correct horse"), &Random::new()).await.unwrap();
            assert_eq!(queue.verify(password("correct horse"), Some(hash.clone())).await, Ok(Verdict::Match));
            assert_eq!(queue.verify(password("battery staple"), Some(hash)).await, Ok(Verdict::Mismatch));
            assert_eq!(queue.verify(password("correct horse"), None).await, Ok(Verdict::Mismatch));
        });
    }

    #[test]
    fn two_hashes_of_a_password_differ() {
        let queue = queue(2, 2);
        let random = Random::new();
        let hash = || block_on(queue.hash(password("correct horse"), &random)).unwrap();
        assert_ne!(hash().expose(), hash().expose());
    }

    #[test]
    fn one_too_many_is_told_at_once_and_the_others_are_answered() {
        let queue = queue(1, 3);
        let mut waiting: Vec<_> = (0..40).map(|_| Box::pin(queue.verify(password("correct horse"), None))).collect();
        let told: Vec<_> = waiting.iter_mut().map(|future| poll(future.as_mut())).collect();
        let refused = told.iter().filter(|told| matches!(told, std::task::Poll::Ready(Err(QueueError::Busy)))).count();
        assert!((30..=37).contains(&refused), "{refused}");
        for (future, told) in waiting.into_iter().zip(told) {
            if told.is_pending() {
                assert_eq!(block_on(future), Ok(Verdict::Mismatch));
            }
        }
    }

    #[test]
    fn nobody_waits_behind_those_who_have_gone() {
        let queue = queue(1, 2);
        for _ in 0..50 {
            let mut abandoned = pin!(queue.verify(password("correct horse"), None));
            assert_ne!(poll(abandoned.as_mut()), std::task::Poll::Ready(Err(QueueError::Busy)));
        }
    }

    #[test]
    fn the_queue_ends_when_dropped_and_tells_who_waits() {
        let queue = queue(1, 8);
        let shared = Arc::clone(&queue.shared);
        let (answer, answered) = oneshot::channel();
        drop(queue);
        assert_eq!(shared.push(Job::Verify { password: password("x"), hash: None, answer }), Err(QueueError::Failed));
        assert!(block_on(answered).is_err());
        assert_eq!(Arc::strong_count(&shared), 1, "the threads have ended");
    }

    #[test]
    fn memory_is_given_back_after_a_rest() {
        let shared = Shared {
            limits: QueueLimits { rest: Duration::ZERO, ..QueueLimits::default() },
            state: Mutex::default(),
            changed: Condvar::new(),
        };
        let mut memory = Memory::default();
        password::verify(&password("x"), None, &mut memory);
        drop(shared.rest(shared.lock(), &mut memory));
        assert_eq!(memory.held(), 0);
    }

    #[test]
    fn the_futures_can_move_between_threads() {
        fn sendable<T: Send>(_: &T) {}
        let queue = queue(1, 1);
        sendable(&queue.verify(password("x"), None));
        sendable(&queue.hash(password("x"), &Random::new()));
    }
}
