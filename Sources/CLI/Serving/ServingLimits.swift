import Compute
import Engine
import Models

/// How large prompts and batches may be: what the operator says, and the rest from the model and the memory.
struct ServingLimits {
    let limits: EngineLimits
    /// What was inferred, one log line each.
    let remarks: [String]

    /// Prompt tokens per step: more takes longer to cancel and holds up those who wait for their next token.
    private static let prefillTokens = 512
    private static let batchSize = 64

    /// - Parameters:
    ///   - memory: Bytes that are available beside the weights.
    ///   - cacheBytes: Bytes of the KV cache under some limits.
    init(
        _ options: LimitOptions, context: Int?, trainedContext: Int, allowsLongContext: Bool, memory: Int,
        cacheBytes: (EngineLimits) -> Int
    ) throws {
        var remarks: [String] = []
        let batchSize = options.maxBatchSize ?? min(Self.batchSize, options.maxConcurrentRequests)
        let block = BlockPool.blockLength
        let most = max(
            trainedContext.times(batchSize), options.maxBatchTotalTokens ?? 0,
            options.maxTotalTokens ?? context ?? 0)
        let capacity = MemoryPlan.mostPositions(upTo: min(most, Self.mostPositions) + block - 1) { positions in
            let limits = EngineLimits(
                maxInputTokens: positions, maxTotalTokens: positions, maxBatchPrefillTokens: positions,
                maxBatchTotalTokens: positions, maxBatchSize: batchSize)
            return cacheBytes(limits) <= memory - MemoryPlan.reserve
        }

        let total: Int
        if let given = options.maxTotalTokens ?? context {
            guard allowsLongContext || given <= trainedContext else {
                throw Self.invalid(
                    "`max_total_tokens` must be <= \(trainedContext), the length that the model was trained for. Given: \(given) "
                        + "(--force-ctx allows it)")
            }
            total = given
        } else {
            total = min(trainedContext, max(capacity, block))
            remarks.append("Maximum total tokens defaulted to \(total)")
        }
        guard total >= 2 else { throw Self.invalid("`max_total_tokens` must be > 1. Given: \(total)") }
        let givenInput = options.maxInputTokens ?? options.maxInputLength
        let input = givenInput ?? total - 1
        if givenInput == nil { remarks.append("Maximum input tokens defaulted to \(input)") }
        guard input < total else {
            throw Self.invalid("`max_input_tokens` must be < `max_total_tokens`. Given: \(input) and \(total)")
        }
        guard input > 0 else { throw Self.invalid("`max_input_tokens` must be > 0. Given: \(input)") }

        let prefill = options.maxBatchPrefillTokens ?? Self.prefillTokens
        if options.maxBatchPrefillTokens == nil { remarks.append("Default `max_batch_prefill_tokens` to \(prefill)") }
        guard prefill > 0 else { throw Self.invalid("`max_batch_prefill_tokens` must be > 0. Given: \(prefill)") }

        let batchTotal: Int
        if let given = options.maxBatchTotalTokens {
            batchTotal = given
            guard given <= max(capacity, 0) || given <= total else {
                throw Failure(
                    "Not enough memory to handle `max_batch_total_tokens=\(given)`: it has room for \(capacity)")
            }
        } else {
            batchTotal = min(max(capacity, total), total.times(batchSize))
            remarks.append("Setting max batch total tokens to \(batchTotal)")
        }
        guard total <= batchTotal else {
            throw Self.invalid(
                "`max_total_tokens` must be <= `max_batch_total_tokens`. Given: \(total) and \(batchTotal)")
        }
        if let given = options.maxBatchPrefillTokens, given > batchTotal {
            throw Self.invalid(
                "`max_batch_prefill_tokens` must be <= `max_batch_total_tokens`. Given: \(given) and \(batchTotal)")
        }
        guard total <= max(capacity, 0) else {
            throw Failure("Not enough memory to handle `max_total_tokens=\(total)`: it has room for \(capacity)")
        }
        var limits = EngineLimits(
            maxInputTokens: input, maxTotalTokens: total, maxBatchPrefillTokens: prefill,
            maxBatchTotalTokens: batchTotal, maxBatchSize: batchSize)
        limits.speculation = options.speculate ?? 0
        self.limits = limits
        self.remarks = remarks
    }

    /// Beyond any memory, and small enough for arithmetic.
    private static let mostPositions = 1 << 36

    private static func invalid(_ problem: String) -> Failure { Failure("Invalid argument: \(problem)") }
}

extension Int {
    /// The product of two positive numbers, or the largest number where it is larger.
    fileprivate func times(_ other: Int) -> Int {
        let product = multipliedReportingOverflow(by: other)
        return product.overflow ? .max : product.partialValue
    }
}
