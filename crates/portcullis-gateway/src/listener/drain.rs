//! The signal to every listener and connection that it is time to end.

use tokio::sync::watch;

/// The receiver of the signal.
#[derive(Debug, Clone)]
pub(crate) struct Drain(watch::Receiver<bool>);

/// The sender of the signal; dropping it sends it, too.
#[derive(Debug)]
pub(crate) struct DrainTrigger(watch::Sender<bool>);

impl Drain {
    /// Makes a sender and a receiver.
    pub(crate) fn new() -> (DrainTrigger, Self) {
        let (trigger, drain) = watch::channel(false);
        (DrainTrigger(trigger), Self(drain))
    }

    /// Waits until draining begins.
    pub(crate) async fn begun(&mut self) {
        // An error means that the sender was dropped: nothing else could end us.
        let _ = self.0.wait_for(|begun| *begun).await;
    }

    /// Returns true once draining began.
    pub(crate) fn has_begun(&self) -> bool {
        *self.0.borrow()
    }
}

impl DrainTrigger {
    /// Begins the draining.
    pub(crate) fn begin(&self) {
        self.0.send_replace(true);
    }
}
