internal import Glibc

/// What choosing a token mostly needs of a row of logits: the greatest of them, and enough to know the logarithm of the sum of all
/// exponentials to the bit. A device with memory of its own hands it out instead of the row, which is a hundred times as long.
///
/// All is of the *processed* row (``HeadRequest``). Listed are the logits from the ``threshold`` on: the `rank`-th greatest of the maxima
/// of groups of ``HeadLayout/groupLength`` tokens. ``ReferenceHead`` computes one in plain words.
package struct RowHead: ~Escapable {
    /// Listed tokens, ascending, and their logits.
    package let ids: Span<Int32>
    package let logits: Span<Float>
    /// Sums of exp((logit - maximum) / temperature) of each ``HeadLayout/blockLength`` tokens.
    package let blockSums: Span<Float>
    /// Every token that is not listed has a smaller logit, or none.
    package let threshold: Float
    /// The greatest logit; plus infinity where there is one.
    package let maximum: Float
    package let vocabulary: Int

    @_lifetime(copy ids, copy logits, copy blockSums)
    fileprivate init(
        ids: Span<Int32>, logits: Span<Float>, blockSums: Span<Float>, threshold: Float, maximum: Float, vocabulary: Int
    ) {
        self.ids = ids
        self.logits = logits
        self.blockSums = blockSums
        self.threshold = threshold
        self.maximum = maximum
        self.vocabulary = vocabulary
    }

    /// Whether anything can be said by it: not where too many logits tie, none is a number or one is infinite. A device that answers
    /// with other than tokens in order is not believed either: the row decides.
    package var isUsable: Bool {
        guard !ids.isEmpty, maximum > -.infinity, maximum < .infinity else { return false }
        var last: Int32 = -1
        for index in ids.indices {
            guard ids[index] > last else { return false }
            last = ids[index]
        }
        return Int(last) < vocabulary
    }
}

/// The logits of one block of a row (``HeadLayout/blockLength``) beside its head, processed as that is.
package struct RowBlock: ~Escapable {
    package let index: Int
    package let logits: Span<Float>

    @_lifetime(copy logits)
    init(index: Int, logits: Span<Float>) {
        self.index = index
        self.logits = logits
    }
}

/// Where the parts of a head are, in words of 4 bytes.
package struct HeadLayout: Sendable {
    /// Tokens that share a maximum, and tokens that share a sum.
    package static let groupLength = 32
    package static let blockLength = 256
    /// Tokens that a head lists at most.
    package static let capacity = 512
    /// Tokens that one lists where there are enough: for that many even top-k and the likeliest that a client may ask for are covered.
    private static let most = 256

    /// Words: how many logits reach the threshold (more than ``capacity``: none is listed), the threshold, the maximum.
    package static let count = 0
    package static let threshold = 1
    package static let maximum = 2
    package static let ids = 4
    package static let logits = ids + capacity
    package static let blockSums = logits + capacity

    package let groups: Int
    package let blocks: Int

    package init(vocabulary: Int) {
        groups = (vocabulary + Self.groupLength - 1) / Self.groupLength
        blocks = (vocabulary + Self.blockLength - 1) / Self.blockLength
    }

    /// Which of the groups' maxima, in descending order, is the threshold.
    package var rank: Int { max(1, min(Self.most, groups / 4)) }
    /// Of one head.
    package var words: Int { (Self.blockSums + blocks + 15) / 16 * 16 }
}

/// What is done to a wanted row of logits before its head is taken.
package struct HeadRequest: Sendable {
    /// Otherwise the row itself is wanted, as it is.
    package var isWanted = false
    /// Divides what is summed, not what is listed; a normal number.
    package var temperature: Float = 1
    /// ``LogitChange/penalized(_:repetition:amount:)``
    package var repetition: Float = 1
    /// The row's part of ``StepInputs/logitChanges``: penalties of `penalized` tokens that have occurred, each once, and then biases of
    /// `biased` tokens, each once.
    package var firstChange = 0
    package var penalized = 0
    package var biased = 0

    package init() {}
}

/// A change of the logit of one token.
package struct LogitChange: Sendable, Equatable {
    package let id: Int32
    /// Subtracted by a penalty, added by a bias.
    package let amount: Float

    package init(id: Int32, amount: Float) {
        self.id = id
        self.amount = amount
    }

    /// The logit of a token that has occurred: a positive one is divided by the repetition penalty, a negative one multiplied, and
    /// then the amount of all other penalties is subtracted.
    package static func penalized(_ logit: Float, repetition: Float, amount: Float) -> Float {
        (logit < 0 ? logit * repetition : logit / repetition) - amount
    }
}

/// Memory for the heads of a step, and what a step handed out for each row.
@safe
struct HeadStorage: ~Copyable {
    private let rows: Int
    private let vocabulary: Int
    private let words: Int
    private let storage: UnsafeMutablePointer<UInt32>
    private let deliveries: UnsafeMutablePointer<RowDelivery>

    init(rows: Int, vocabulary: Int) throws(BackendError) {
        self.rows = rows
        self.vocabulary = vocabulary
        words = HeadLayout(vocabulary: vocabulary).words
        // Takes no pages before it is written.
        guard let memory = unsafe calloc(rows * words, 4) else { throw .outOfMemory(rows * words * 4) }
        unsafe storage = memory.assumingMemoryBound(to: UInt32.self)
        unsafe deliveries = .allocate(capacity: rows)
        unsafe deliveries.initialize(repeating: .row, count: rows)
    }

    deinit {
        unsafe free(storage)
        unsafe deliveries.deallocate()
    }

    subscript(row: Int) -> RowDelivery {
        get {
            precondition(row >= 0 && row < rows)
            return unsafe deliveries[row]
        }
        nonmutating set {
            precondition(row >= 0 && row < rows)
            unsafe deliveries[row] = newValue
        }
    }

    func with<R, E: Error>(_ row: Int, _ body: (RowHead) throws(E) -> R) throws(E) -> R {
        let words = unsafe UnsafeRawPointer(buffer(row).baseAddress!)
        func floats(_ first: Int, _ count: Int) -> UnsafeBufferPointer<Float> {
            unsafe UnsafeBufferPointer(
                start: (words + first * 4).assumingMemoryBound(to: Float.self), count: count)
        }
        let reached = Int(unsafe words.load(as: UInt32.self))
        let listed = reached <= HeadLayout.capacity ? reached : 0
        let ids = unsafe UnsafeBufferPointer(
            start: (words + HeadLayout.ids * 4).assumingMemoryBound(to: Int32.self), count: listed)
        return try unsafe body(
            RowHead(
                ids: ids.span, logits: floats(HeadLayout.logits, listed).span,
                blockSums: floats(HeadLayout.blockSums, HeadLayout(vocabulary: vocabulary).blocks).span,
                threshold: floats(HeadLayout.threshold, 1)[0], maximum: floats(HeadLayout.maximum, 1)[0],
                vocabulary: vocabulary))
    }

    func buffer(_ row: Int) -> UnsafeMutableBufferPointer<UInt32> {
        precondition(row >= 0 && row < rows)
        return unsafe UnsafeMutableBufferPointer(start: storage + row * words, count: words)
    }
}

/// What there is of an output row.
package struct RowDelivery: Sendable, Equatable {
    /// The row is processed, and there is its head.
    package var isProcessed: Bool
    /// The row itself has come.
    package var hasRow: Bool
    /// The block of it that has come alone (``RowBlock``).
    package var block: Int?

    package init(isProcessed: Bool, hasRow: Bool) {
        self.isProcessed = isProcessed
        self.hasRow = hasRow
    }

    /// The row as the model gave it, which is all that most backends hand out.
    package static let row = RowDelivery(isProcessed: false, hasRow: true)
}
