use super::Unit;

/// The progress of the members of a batch, added up.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Sum {
    pub(crate) completed: u64,
    /// `None` unless the batch is counted by unit.
    pub(crate) total: Option<u64>,
    /// `None` if nothing is known of what there is to do.
    pub(crate) fraction: Option<f64>,
    /// The unit of the members, if they all count the same.
    pub(crate) unit: Unit,
    /// Whether the members count different units, so that their sum means nothing.
    pub(crate) is_mixed: bool,
    /// `None` if nothing is known of what is left.
    pub(crate) members: Option<Members>,
    pub(crate) work: Work,
    /// Whether a member has had a fraction. If none has, only the ends of members can be seen.
    pub(crate) has_fractions: bool,
}

/// Members, each counted with its fraction.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Members {
    /// How many are left.
    pub(crate) left: f64,
    /// How many there are to do.
    pub(crate) whole: f64,
}

/// All that the members of a batch have done while it ran. It never falls: what is done again counts again, and what was
/// there before a member began to work does not count.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Work {
    pub(crate) units: u64,
    /// How many members' work.
    pub(crate) members: f64,
    /// Whether any member has reported a count.
    pub(crate) is_counted: bool,
}
