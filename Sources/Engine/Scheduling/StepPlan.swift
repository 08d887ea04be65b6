/// What the scheduler chose for one step.
package struct StepPlan: Sendable {
    /// One sequence's rows: consecutive tokens, then drafts.
    package struct Work: Sendable, Equatable {
        package let id: Int
        /// Place of the first token in the sequence.
        package let first: Int
        /// Tokens of the sequence.
        package let count: Int
        /// Drafted tokens behind them, which are then the sequence's last.
        package var drafts = 0
        /// How many of the last rows deliver logits, drafts included.
        package var outputs: Int
        /// How many of the tokens belong to the prompt.
        package let promptRows: Int
        /// Whether these are the first rows of the sequence. Tokens before them come from the prefix cache.
        package let isFirst: Bool

        package var rows: Int { count + drafts }
    }

    /// In the order of the step's rows.
    package var work: [Work] = []
    /// Sequences that lost their blocks.
    package var preempted = 0

    package init() {}

    package mutating func removeAll() {
        work.removeAll(keepingCapacity: true)
        preempted = 0
    }
}
