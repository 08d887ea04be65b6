/// The values of the label `err` of `tgi_request_failure`.
package enum FailureReason: String, Sendable, CaseIterable {
    case overloaded
    case validation
    case generation
    case incomplete
    /// The client hung up.
    case dropped
    case template
}
