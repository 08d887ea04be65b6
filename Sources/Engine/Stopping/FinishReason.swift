/// Why a sequence ended, as TGI names it.
package enum FinishReason: String, Sendable {
    /// The token limit or the end of the context.
    case length
    case endOfSequence = "eos_token"
    case stopSequence = "stop_sequence"
}
