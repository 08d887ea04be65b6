import Glibc

/// One HTTP/1.1 exchange over a socket of its own, read as it comes. Blocking: every client has a thread.
struct Connection: ~Copyable {
    struct Failure: Error {
        let text: String

        init(_ text: String) { self.text = text }

        static func system(_ call: String) -> Failure { Failure("\(call): \(unsafe String(cString: strerror(errno)))") }
    }

    private let socket: Int32
    private var buffer: [UInt8] = []
    /// Bytes before this index have been taken.
    private var start = 0

    /// - Parameter timeout: Seconds that a read may wait.
    init(host: String, port: UInt16, timeout: Int) throws(Failure) {
        socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        guard socket >= 0 else { throw .system("socket") }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        guard unsafe inet_pton(AF_INET, host, &address.sin_addr) == 1 else {
            close(socket)
            throw Failure("\(host) is no IPv4 address")
        }
        var limit = timeval(tv_sec: timeout, tv_usec: 0)
        unsafe setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        var yes: Int32 = 1
        unsafe setsockopt(socket, Int32(IPPROTO_TCP), TCP_NODELAY, &yes, socklen_t(MemoryLayout<Int32>.size))
        let connected = unsafe withUnsafePointer(to: &address) {
            unsafe $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe connect(socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard connected == 0 else {
            let failure = Failure.system("connect")
            close(socket)
            throw failure
        }
    }

    deinit { close(socket) }

    /// Sends a request with a JSON body; the connection ends with the answer.
    func post(_ path: String, host: String, body: String) throws(Failure) {
        let head =
            "POST \(path) HTTP/1.1\r\nHost: \(host)\r\nContent-Type: application/json\r\nConnection: close\r\n"
            + "Content-Length: \(body.utf8.count)\r\n\r\n"
        var bytes = Array((head + body).utf8)[...]
        while !bytes.isEmpty {
            let sent = unsafe bytes.withUnsafeBytes {
                unsafe send(socket, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            guard sent > 0 else { throw .system("send") }
            bytes = bytes.dropFirst(sent)
        }
    }

    /// Reads the head of the answer: its status, and whether its body comes in chunks.
    mutating func readHead() throws(Failure) -> (status: Int, isChunked: Bool) {
        guard let first = try line() else { throw Failure("no answer") }
        let words = first.split(separator: " ")
        guard words.count >= 2, let status = Int(words[1]) else { throw Failure("not HTTP: \(first)") }
        var isChunked = false
        while let header = try line(), !header.isEmpty {
            let lowered = header.lowercased()
            if lowered.hasPrefix("transfer-encoding:"), lowered.hasSuffix("chunked") { isChunked = true }
        }
        return (status, isChunked)
    }

    /// The next line without its end, or `nil` at the end of the connection.
    mutating func line() throws(Failure) -> String? {
        while true {
            if let end = buffer[start...].firstIndex(of: UInt8(ascii: "\n")) {
                var text = buffer[start..<end]
                if text.last == UInt8(ascii: "\r") { text = text.dropLast() }
                start = end + 1
                return String(decoding: text, as: UTF8.self)
            }
            guard try fill() else { return nil }
        }
    }

    private mutating func fill() throws(Failure) -> Bool {
        buffer.removeFirst(start)
        start = 0
        let count = unsafe withUnsafeTemporaryAllocation(byteCount: 1 << 16, alignment: 1) { memory in
            let count = unsafe recv(socket, memory.baseAddress, memory.count, 0)
            if count > 0 { unsafe buffer.append(contentsOf: memory[..<count]) }
            return count
        }
        guard count >= 0 else { throw .system("recv") }
        return count > 0
    }
}
