/// How the progress of a batch is added up. See [`Progress`](crate::Progress) for a batch's `fraction`, `total` and time
/// left, which always agree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum BatchProgress {
    /// A unit counts the same in every member: the batch is half done when half of all bytes are loaded. As long as the
    /// total of a member is not known, or the members count different units, the batch counts
    /// [by member](Self::ByMember). When the first total of a member shows that there is more to do than it seemed, the
    /// fraction falls. Otherwise it goes on from what it was where one takes over from the other.
    #[default]
    ByUnit,
    /// Every member counts the same, whatever its total: the batch is half done when half of the members are, each
    /// counted with its fraction. The batch has no total. For members that take about the same time.
    ByMember,
}
