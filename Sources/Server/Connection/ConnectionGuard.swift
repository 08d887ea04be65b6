internal import NIOCore

/// Watches one connection: tells when the client hangs up, and hangs up itself on a client that does not read.
///
/// Confined to the connection's event loop.
final class ConnectionGuard: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = NIOAny

    private let stallTimeout: TimeAmount
    private var isClosed = false
    private var onClose: (@Sendable () -> Void)?
    private var stall: Scheduled<Void>?

    init(stallTimeout: Duration) { self.stallTimeout = TimeAmount(stallTimeout) }

    /// Sets what happens when the connection closes, in place of what was set before; at once if it is closed already. On any thread.
    static func onClose(of channel: any Channel, _ action: @escaping @Sendable () -> Void) {
        channel.eventLoop.execute {
            guard let guardian = try? channel.pipeline.syncOperations.handler(type: ConnectionGuard.self),
                !guardian.isClosed
            else {
                return action()
            }
            guardian.onClose = action
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        closed()
        context.fireChannelInactive()
    }

    func handlerRemoved(context: ChannelHandlerContext) { closed() }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        // Who has closed its end of a connection is gone, as for TGI.
        if case ChannelEvent.inputClosed = event { closed() }
        context.fireUserInboundEventTriggered(event)
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        stall?.cancel()
        stall = nil
        if !context.channel.isWritable {
            let channel = context.channel
            stall = context.eventLoop.scheduleTask(in: stallTimeout) { channel.close(promise: nil) }
        }
        context.fireChannelWritabilityChanged()
    }

    private func closed() {
        isClosed = true
        stall?.cancel()
        stall = nil
        let action = onClose
        onClose = nil
        action?()
    }
}
