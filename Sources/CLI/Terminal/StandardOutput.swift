import Glibc

/// Where results go. Every write reaches the reader at once: text streams, and nothing is left in a buffer when the run ends.
enum StandardOutput {
    /// The reader closed its end.
    struct Closed: Error {}

    static func write(_ text: String) throws {
        var text = text
        try text.withUTF8 { try unsafe write(UnsafeRawBufferPointer($0)) }
    }

    static func write(_ bytes: some Sequence<UInt8>) throws {
        try unsafe Array(bytes).withUnsafeBytes { try unsafe write($0) }
    }

    private static func write(_ bytes: UnsafeRawBufferPointer) throws {
        var rest = unsafe bytes
        while rest.count > 0 {
            let written = unsafe Glibc.write(STDOUT_FILENO, rest.baseAddress, rest.count)
            if written >= 0 {
                unsafe rest = UnsafeRawBufferPointer(rebasing: rest[written...])
                continue
            }
            switch errno {
            case EINTR: continue
            case EPIPE: throw Closed()
            case EAGAIN:
                // Someone made the pipe non-blocking: wait until it takes more.
                var descriptor = pollfd(fd: STDOUT_FILENO, events: Int16(POLLOUT), revents: 0)
                unsafe poll(&descriptor, 1, -1)
            default: throw Failure("standard output: \(systemMessage(errno))")
            }
        }
    }
}

/// The system's words for an error number.
func systemMessage(_ number: Int32) -> String {
    guard let text = unsafe strerror(number) else { return "error \(number)" }
    return unsafe String(cString: text)
}
