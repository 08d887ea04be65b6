internal import Logging

/// What a request's log line says about it, under TGI's names.
package struct RequestSpan: Sendable {
    package let name: String
    let parameters: String?
    let trace: TraceParent?

    package init(_ name: String, parameters: String?, trace: TraceParent?) {
        self.name = name
        self.parameters = parameters
        self.trace = trace
    }

    /// The fields in their order; handlers show them as one.
    func metadata(_ timing: GenerationTiming, seed: UInt64?) -> Logger.Metadata {
        var fields: [(String, String)] = []
        if let parameters { fields.append(("parameters", parameters)) }
        fields += [
            ("total_time", timing.total.debugText), ("validation_time", timing.validation.debugText),
            ("queue_time", timing.queue.debugText), ("inference_time", timing.inference.debugText),
            ("time_per_token", timing.perToken.debugText), ("seed", seed.map { "Some(\($0))" } ?? "None"),
        ]
        return Self.metadata(name, fields, trace)
    }

    /// The fields of a request that did not get to generate.
    var metadata: Logger.Metadata { Self.metadata(name, parameters.map { [("parameters", $0)] } ?? [], trace) }

    private static func metadata(
        _ name: String, _ fields: [(String, String)], _ trace: TraceParent?
    ) -> Logger.Metadata {
        var fields = fields
        if let trace { fields += [("trace_id", trace.traceID), ("parent_span_id", trace.spanID)] }
        let list = fields.map { Logger.MetadataValue.dictionary([$0: .string($1)]) }
        return [LogRecord.spanName: .string(name), LogRecord.spanFields: .array(list)]
    }
}
