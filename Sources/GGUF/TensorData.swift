import Glibc

/// The bytes of one tensor: a slice of the mapped file, or a buffer that was decompressed for this reader alone.
@safe
package final class TensorData: Sendable {
    /// Valid as long as this object lives, which may be no longer than its last mention: see ``withUnsafeBytes(_:)``.
    package nonisolated(unsafe) let base: UnsafeRawPointer
    package let count: Int
    private let storage: Storage

    private enum Storage: Sendable {
        case mapped(Mapping, offset: Int)
        case owned(AnonymousMemory)
    }

    /// Whether this is a slice of the mapped file.
    package var isMapped: Bool { if case .mapped = storage { true } else { false } }

    init(_ mapping: Mapping, _ range: Range<Int>) {
        unsafe base = mapping.bytes.baseAddress! + range.lowerBound
        count = range.count
        storage = .mapped(mapping, offset: range.lowerBound)
    }

    init(_ memory: AnonymousMemory) {
        unsafe base = UnsafeRawPointer(memory.bytes.baseAddress!)
        count = unsafe memory.bytes.count
        storage = .owned(memory)
    }

    /// The bytes, for a caller that keeps this object itself.
    package var bytes: UnsafeRawBufferPointer { unsafe UnsafeRawBufferPointer(start: base, count: count) }

    /// Calls `body` with the bytes and keeps them until it returns.
    package func withUnsafeBytes<R, E: Error>(_ body: (UnsafeRawBufferPointer) throws(E) -> R) throws(E) -> R {
        defer { withExtendedLifetime(self) {} }
        return try unsafe body(UnsafeRawBufferPointer(start: base, count: count))
    }

    /// Lets whole pages of `range` leave resident memory. The caller must not read these bytes again: those of a compressed file
    /// are gone.
    package func discard(_ range: Range<Int>) {
        evict(range)
        if case .owned(let memory) = storage { memory.discard(range) }
    }

    /// Lets pages of `range` leave resident memory where they can be had again: those of a mapped file.
    package func evict(_ range: Range<Int>) {
        precondition(range.lowerBound >= 0 && range.upperBound <= count)
        if case .mapped(let mapping, let offset) = storage {
            mapping.discard(offset + range.lowerBound..<offset + range.upperBound)
        }
    }
}

/// Page-aligned memory of its own, zero until it is written.
@safe
final class AnonymousMemory: @unchecked Sendable {
    let bytes: UnsafeMutableRawBufferPointer

    /// `nil` where the system refuses.
    init?(count: Int) {
        guard count > 0, count <= Int.max - Page.size,
            let base = unsafe mmap(
                nil, count, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0),
            unsafe base != MAP_FAILED
        else { return nil }
        // Large pages make the first touch cheaper; without them nothing is lost.
        if count >= Self.hugeBytes { unsafe madvise(base, count, MADV_HUGEPAGE) }
        unsafe bytes = UnsafeMutableRawBufferPointer(start: base, count: count)
    }

    private static let hugeBytes = 1 << 22

    deinit { unsafe munmap(bytes.baseAddress!, bytes.count) }

    func discard(_ range: Range<Int>) {
        guard let pages = unsafe Page.inside(range, of: UnsafeRawBufferPointer(bytes)) else { return }
        unsafe madvise(pages.baseAddress!, pages.count, MADV_DONTNEED)
    }
}
