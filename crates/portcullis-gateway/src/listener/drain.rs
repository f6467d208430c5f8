//! Says to every listener and connection that it is time to end.

use tokio::sync::watch;

/// Sees when draining begins.
#[derive(Debug, Clone)]
pub(crate) struct Drain(watch::Receiver<bool>);

/// Begins the draining, when told or when dropped.
#[derive(Debug)]
pub(crate) struct DrainTrigger(watch::Sender<bool>);

impl Drain {
    /// A trigger, and what sees it.
    pub(crate) fn new() -> (DrainTrigger, Self) {
        let (trigger, drain) = watch::channel(false);
        (DrainTrigger(trigger), Self(drain))
    }

    /// Waits until draining begins.
    pub(crate) async fn begun(&mut self) {
        // An error says that the trigger is gone: nobody could end us any more.
        let _ = self.0.wait_for(|begun| *begun).await;
    }

    /// Whether draining began.
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
