/// Where the events of a request go.
package protocol GenerationSink: AnyObject {
    func send(_ event: StreamEvent)
    /// Ends the events, with an error or as they should.
    func finish(throwing error: EngineError?)
    /// Whether the reader is far behind: the request then rests until ``Batch/resume(_:)``.
    var isFull: Bool { get }
}

extension GenerationStream.Source: GenerationSink {}
