import Glibc

/// A whole file mapped read-only.
///
/// Bytes are read when they are touched; a file that another process truncates meanwhile kills this one with SIGBUS, as with any mapping.
@safe
final class Mapping: @unchecked Sendable {
    let path: String
    let bytes: UnsafeRawBufferPointer
    private let region: UnsafeMutableRawBufferPointer
    /// Whether the bytes can be had again after their pages were dropped.
    private let isFile: Bool

    init(path: String) throws(GGUFError) {
        func failure(_ action: String) -> GGUFError {
            GGUFError(file: path, problem: "cannot \(action): \(String(errno: errno))")
        }
        let descriptor = unsafe Glibc.open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw failure("open") }
        defer { close(descriptor) }
        var status = stat()
        guard unsafe fstat(descriptor, &status) == 0 else { throw failure("examine") }
        guard status.st_mode & S_IFMT == S_IFREG else { throw GGUFError(file: path, problem: "is not a regular file") }
        let count = Int(status.st_size)
        guard count > 0 else { throw GGUFError(file: path, problem: "is empty") }
        guard let base = unsafe mmap(nil, count, PROT_READ, MAP_PRIVATE, descriptor, 0), unsafe base != MAP_FAILED
        else {
            throw failure("map")
        }
        self.path = path
        isFile = true
        unsafe region = UnsafeMutableRawBufferPointer(start: base, count: count)
        unsafe bytes = UnsafeRawBufferPointer(region)
    }

    /// Memory that stands for a file, placed so that its end meets a page that cannot be read: a read past the end is a crash, not luck.
    init(path: String, copying contents: [UInt8]) throws(GGUFError) {
        let length = Page.roundUp(contents.count)
        guard !contents.isEmpty else { throw GGUFError(file: path, problem: "is empty") }
        guard
            let base = unsafe mmap(nil, length + Page.size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0),
            unsafe base != MAP_FAILED
        else { throw GGUFError(file: path, problem: "cannot map memory: \(String(errno: errno))") }
        self.path = path
        isFile = false
        unsafe region = UnsafeMutableRawBufferPointer(start: base, count: length + Page.size)
        let start = length - contents.count
        unsafe region[start..<length].copyBytes(from: contents)
        unsafe mprotect(base, length, PROT_READ)
        unsafe mprotect(base + length, Page.size, PROT_NONE)
        unsafe bytes = UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(region)[start..<length])
    }

    deinit { unsafe munmap(region.baseAddress!, region.count) }

    /// Starts reading a range from disk, so that the first touch does not wait page by page.
    func willNeed(_ range: Range<Int>) {
        guard let pages = unsafe Page.touched(by: range, of: bytes) else { return }
        unsafe madvise(pages.baseAddress!, pages.count, MADV_WILLNEED)
    }

    /// Lets the pages of a range leave this process's resident memory; reading them again brings them back from the page cache.
    func discard(_ range: Range<Int>) {
        guard isFile else { return }
        // The first page may hold bytes before the range that are still in use: they are only read again. The last page is left to
        // the range that follows, so that discarding piece by piece drops all.
        guard let pages = unsafe Page.ended(by: range, of: bytes) else { return }
        unsafe madvise(pages.baseAddress!, pages.count, MADV_DONTNEED)
    }
}

enum ProcessorCount {
    /// Processors that this machine runs threads on.
    static let online = max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN)))
}

/// Arithmetic of memory pages.
enum Page {
    static let size = Int(sysconf(Int32(_SC_PAGESIZE)))

    static func roundUp(_ count: Int) -> Int { (count + size - 1) & ~(size - 1) }

    /// All pages that hold a byte of `range`.
    @unsafe
    static func touched(by range: Range<Int>, of bytes: UnsafeRawBufferPointer) -> UnsafeMutableRawBufferPointer? {
        unsafe pages(range, of: bytes) { start, end in (start & ~(size - 1), roundUp(end)) }
    }

    /// The pages whose last byte is in `range`.
    @unsafe
    static func ended(by range: Range<Int>, of bytes: UnsafeRawBufferPointer) -> UnsafeMutableRawBufferPointer? {
        unsafe pages(range, of: bytes) { start, end in (start & ~(size - 1), end & ~(size - 1)) }
    }

    /// The pages that lie wholly in `range`.
    @unsafe
    static func inside(_ range: Range<Int>, of bytes: UnsafeRawBufferPointer) -> UnsafeMutableRawBufferPointer? {
        unsafe pages(range, of: bytes) { start, end in (roundUp(start), end & ~(size - 1)) }
    }

    @unsafe
    private static func pages(
        _ range: Range<Int>, of bytes: UnsafeRawBufferPointer, bounds: (Int, Int) -> (Int, Int)
    ) -> UnsafeMutableRawBufferPointer? {
        precondition(range.lowerBound >= 0 && range.upperBound <= bytes.count)
        guard let base = bytes.baseAddress, !range.isEmpty else { return nil }
        let address = Int(bitPattern: base)
        let (start, end) = bounds(address + range.lowerBound, address + range.upperBound)
        guard start < end else { return nil }
        return unsafe UnsafeMutableRawBufferPointer(
            start: UnsafeMutableRawPointer(bitPattern: start), count: end - start)
    }
}

extension String {
    /// The system's text for an error number.
    init(errno number: Int32) {
        self = unsafe strerror(number).map { unsafe String(cString: $0) } ?? "error \(number)"
    }
}
