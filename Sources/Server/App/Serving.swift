internal import Engine
internal import Logging
internal import NIOCore
internal import ServiceLifecycle

/// A server and its engine from start to end.
package struct Serving: Sendable {
    private let context: ServerContext
    private let group: ServiceGroup

    /// - Parameter onListening: Called when clients can connect.
    package init(_ context: ServerContext, onListening: @escaping @Sendable (_ port: Int) -> Void) {
        self.context = context
        var quiet = context.log
        quiet.logLevel = max(.error, context.log.logLevel)
        var configuration = ServiceGroupConfiguration(
            services: [EngineService(engine: context.engine), InferenceServer(context, onListening: onListening)],
            logger: quiet)
        configuration.maximumGracefulShutdownDuration = context.options.gracefulTermination
        group = ServiceGroup(configuration: configuration)
    }

    /// Serves until ``stop()``: then no new connections are taken, and requests that run may go on until they are done or the time
    /// for it is over.
    package func run() async throws {
        do {
            try await group.run()
        } catch is CancellationError {
            context.log.warning("Requests were cut off: the time for a graceful shutdown is over")
        }
    }

    /// Begins the end, once; returns at once.
    package func stop() async {
        context.log.info("signal received, starting graceful shutdown")
        await group.triggerGracefulShutdown()
    }

    /// Whether text is the numeric address of a network interface.
    package static func isAddress(_ text: String) -> Bool {
        (try? SocketAddress(ipAddress: text, port: 0)) != nil
    }
}

/// The engine as a service: it ends after the server.
private struct EngineService: Service, CustomStringConvertible {
    let engine: any TextGeneration
    var description: String { "engine" }

    func run() async throws {
        try? await gracefulShutdown()
        await engine.stop()
    }
}
