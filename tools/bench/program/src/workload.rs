//! The workloads: their names, what is sent in them, and how often they are repeated.

/// What is measured.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, clap::ValueEnum)]
pub enum Workload {
    /// Taking an update commit, full tree.
    Process,
    /// Making an update commit, full tree.
    Update,
    /// Making a commit that removes one, full tree.
    Remove,
    /// Making a commit that adds one, full tree, and its Welcome with the tree inside.
    Add,
    /// The same with a Welcome that holds the tree's hash only.
    AddByHash,
    /// Joining by Welcome.
    Join,
    /// Joining by external commit.
    ExternalJoin,
    /// Making a commit that adds everyone, and its Welcome.
    Build,
    /// Making an update commit right after that one.
    UpdateCold,
    /// Sending 32 bytes, as the implementation does by itself.
    #[value(name = "send-32")]
    Send32,
    /// Sending 1 KiB.
    #[value(name = "send-1k")]
    Send1K,
    /// Sending 32 bytes and making the state durable.
    SendDurable,
    /// Receiving 32 bytes.
    #[value(name = "receive-32")]
    Receive32,
    /// Receiving 1 KiB.
    #[value(name = "receive-1k")]
    Receive1K,
    /// Taking a thousand queued messages of 32 bytes, by up to a hundred senders.
    CatchUp,
    /// Taking a thousand queued messages of 32 bytes, all by one sender.
    CatchUpOne,
    /// Sending 64 KiB.
    #[value(name = "send-64k")]
    Send64K,
    /// Receiving 64 KiB.
    #[value(name = "receive-64k")]
    Receive64K,
    /// Sending 1 MiB.
    #[value(name = "send-1m")]
    Send1M,
    /// Receiving 1 MiB.
    #[value(name = "receive-1m")]
    Receive1M,
    /// Taking an update commit, full tree, and making the state durable.
    ProcessDurable,
    /// Opening a stored group and reading one message.
    OpenAndRead,
    /// Joining by Welcome, and what the group holds in memory from then on.
    Heap,
}

/// Messages that wait for whoever catches up.
pub const QUEUED: usize = 1_000;

impl Workload {
    /// The name in reports, and on the command line.
    pub fn name(self) -> String {
        let value = clap::ValueEnum::to_possible_value(&self).unwrap();
        value.get_name().to_owned()
    }

    /// Bytes of the message, if the step is about messages.
    pub const fn payload(self) -> Option<usize> {
        match self {
            Self::Send32
            | Self::SendDurable
            | Self::Receive32
            | Self::OpenAndRead
            | Self::CatchUp
            | Self::CatchUpOne => Some(32),
            Self::Send1K | Self::Receive1K => Some(1_024),
            Self::Send64K | Self::Receive64K => Some(65_536),
            Self::Send1M | Self::Receive1M => Some(1_048_576),
            _ => None,
        }
    }

    /// Whether the group is made by one commit.
    pub const fn is_cold(self) -> bool {
        matches!(self, Self::Build | Self::UpdateCold)
    }

    /// Where it stands among the workloads of one group: what moves the group to another epoch comes last.
    pub const fn order(self) -> u8 {
        match self {
            Self::CatchUp => 0,
            Self::Process | Self::ProcessDurable => 2,
            _ => 1,
        }
    }

    /// How often the step is taken in one turn: often if it is short.
    pub const fn repeats(self) -> usize {
        match self {
            Self::Send32 | Self::Receive32 | Self::Send1K | Self::Receive1K => 40,
            Self::Process | Self::Update | Self::Remove | Self::Send64K | Self::Receive64K => 8,
            Self::Add | Self::AddByHash | Self::SendDurable | Self::OpenAndRead | Self::ProcessDurable => 4,
            _ => 1,
        }
    }

    /// The most turns there are.
    pub const fn turns(self) -> usize {
        match self {
            // As many queues are made beforehand, and one to begin with.
            Self::CatchUp => 3,
            Self::Heap => 0,
            _ => usize::MAX,
        }
    }

    /// The power of the group's size that the slowest implementation's time grows with.
    pub const fn worst_growth(self) -> i32 {
        if self.is_cold() && !matches!(self, Self::UpdateCold) { 2 } else { 1 }
    }
}
