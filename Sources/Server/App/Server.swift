internal import Glibc
internal import HTTPTypes
internal import HummingbirdCore
internal import Logging
internal import NIOCore
internal import NIOPosix
internal import ServiceLifecycle

/// The HTTP server, as a service that runs until it is told to stop.
///
/// Told to stop gracefully it takes no new connections and lets requests that run come to their end; cancelled it ends them.
package struct InferenceServer: Service {
    private let context: ServerContext
    private let onListening: @Sendable (_ port: Int) -> Void

    /// - Parameter onListening: Called when clients can connect.
    package init(_ context: ServerContext, onListening: @escaping @Sendable (_ port: Int) -> Void = { _ in }) {
        self.context = context
        self.onListening = onListening
    }

    package func run() async throws {
        let options = context.options
        let responder = Responder(context, Routes.all)
        let stallTimeout = options.timeouts.stalledReader
        var configuration = HTTP1Channel.Configuration(
            additionalChannelHandlers: [ConnectionGuard(stallTimeout: stallTimeout)],
            idleTimeout: TimeAmount(options.timeouts.idle))
        configuration.httpDecoder.maxHeaderListSize = 64 * 1024
        configuration.httpDecoder.maxHeaderFieldSize = 32 * 1024
        configuration.httpDecoder.maxHeaderFieldCount = 200
        let channel = HTTP1Channel(
            responder: { request, writer, channel in
                try await responder.respond(to: request, writer, on: channel)
            }, configuration: configuration)
        // The transport's own lines are none of an operator's business.
        var transportLog = context.log
        transportLog.logLevel = max(.warning, context.log.logLevel)
        let server = channel.server(
            configuration: ServerConfiguration(address: .hostname(options.host, port: options.port), backlog: 1024),
            onServerRunning: { channel in onListening(channel.localAddress?.port ?? options.port) },
            eventLoopGroup: MultiThreadedEventLoopGroup.singleton, logger: transportLog)
        do { try await server.run() } catch let error as IOError {
            throw ListenError(host: options.host, port: options.port, errorNumber: error.errnoCode)
        }
    }
}

/// The service framework asks each service for its description; one made by reflection would spell out the whole vocabulary.
extension InferenceServer: CustomStringConvertible {
    package var description: String { "server" }
}

/// The address cannot be listened on.
package struct ListenError: Error, CustomStringConvertible {
    package let host: String
    package let port: Int
    package let errorNumber: CInt

    package var description: String {
        let reason = unsafe strerror(errorNumber).map { unsafe String(cString: $0) } ?? "error \(errorNumber)"
        return "cannot listen on \(host):\(port): \(reason) (--port takes another port)"
    }
}
