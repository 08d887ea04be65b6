package import Chat
package import Engine
package import Logging
package import Tokenizer

/// What every route works with.
package struct ServerContext: Sendable {
    package let engine: any TextGeneration
    package let tokenizer: Tokenizer
    package let model: ModelDescription
    package let options: ServerOptions
    package let metrics: ServerMetrics
    package let permits: Permits
    package let health: HealthCheck
    package let log: Logger
    package let templates: ChatTemplates

    package init(
        engine: any TextGeneration, tokenizer: Tokenizer, templates: ChatTemplates,
        model: ModelDescription, options: ServerOptions, metrics: ServerMetrics, log: Logger
    ) {
        self.engine = engine
        self.tokenizer = tokenizer
        self.templates = templates
        self.model = model
        self.options = options
        self.metrics = metrics
        self.log = log
        health = HealthCheck(engine)
        permits = Permits(options.maxConcurrentRequests)
    }
}
