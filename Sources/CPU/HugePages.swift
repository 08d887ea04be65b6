internal import Compute
import Glibc

/// Zeroed anonymous memory on 2 MiB pages where the system grants them: weights are read once per token from end to end, so
/// address translation is part of the cost.
enum HugePages {
    private static let hugePage = 2 << 20
    private static let page = 4 << 10

    /// `count` bytes, at a 2 MiB boundary if they fill at least one such page; `nil` where memory is out.
    ///
    /// - Parameters:
    ///   - smallFirst: Leaves the first 2 MiB on small pages.
    ///   - later: Leaves all on small pages until ``settle(_:_:at:)``: where a virtual machine gives free memory back to its host, a huge
    ///     page takes milliseconds to come.
    static func allocate(_ count: Int, smallFirst: Bool = false, later: Bool = false) -> UnsafeMutableRawPointer? {
        let length = roundUp(count, page)
        // The system only aligns to 4 KiB: trim the ends of a larger mapping.
        let slack = count < hugePage ? 0 : hugePage
        guard
            let mapping = unsafe mmap(nil, length + slack, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0),
            unsafe mapping != MAP_FAILED
        else { return nil }
        if slack == 0 { return unsafe mapping }
        let address = Int(bitPattern: mapping)
        let head = roundUp(address, hugePage) - address
        let base = unsafe mapping + head
        if head > 0 { unsafe munmap(mapping, head) }
        if head < slack { unsafe munmap(base + length, slack - head) }
        // Whole huge pages only: a last one, partly used, would cost up to 2 MiB per matrix.
        let first = smallFirst ? hugePage : 0
        unsafe madvise(
            base + first, count / hugePage * hugePage - first, later ? MADV_NOHUGEPAGE : MADV_HUGEPAGE)
        return unsafe base
    }

    enum Access {
        case reading, writing
    }

    /// Makes the pages of a range present at once, which takes half the time of a fault for each; a failure shows at their first use.
    static func prepare(_ base: UnsafeRawPointer, _ count: Int, for access: Access) {
        let before = Int(bitPattern: base) % page
        let first = unsafe UnsafeMutableRawPointer(mutating: base - before)
        unsafe madvise(first, roundUp(before + count, page), access == .reading ? populateRead : populateWrite)
    }

    /// Brings bytes of an allocation of `count` bytes that was made for later onto huge pages, from one multiple of ``piece`` to the
    /// next. Readers and writers may go on.
    static func settle(_ base: UnsafeMutableRawPointer, _ count: Int, at offset: Int) {
        let whole = count / hugePage * hugePage
        guard offset < whole else { return }
        // Where the kernel (before 6.1) or memory does not allow it now, its own daemon may do it some time.
        if offset == 0 { unsafe madvise(base, whole, MADV_HUGEPAGE) }
        unsafe madvise(base + offset, min(piece, whole - offset), collapse)
    }

    /// Bytes that one ``settle(_:_:at:)`` moves.
    static let piece = hugePage
    /// MADV_COLLAPSE (Linux 6.1), MADV_POPULATE_READ and MADV_POPULATE_WRITE (5.14), which the headers of Debian 12 do not all have.
    private static let (collapse, populateRead, populateWrite) = (25 as Int32, 22 as Int32, 23 as Int32)

    static func free(_ base: UnsafeMutableRawPointer, _ count: Int) {
        unsafe munmap(base, roundUp(count, page))
    }

    private static func roundUp(_ count: Int, _ unit: Int) -> Int { (count + unit - 1) / unit * unit }
}

/// Memory of ``HugePages``, freed with its owner. Pages that are never touched cost nothing.
@safe
final class PageMemory: @unchecked Sendable {
    let base: UnsafeMutableRawPointer
    let byteCount: Int

    /// - Parameter rowByRow: It holds something per row of a step, and most steps have few rows: their part stays on small pages, so
    ///   that a buffer takes what they need and not 2 MiB.
    init(byteCount: Int, rowByRow: Bool = false) throws(BackendError) {
        guard let base = unsafe HugePages.allocate(max(1, byteCount), smallFirst: rowByRow) else {
            throw .outOfMemory(byteCount)
        }
        unsafe self.base = base
        self.byteCount = byteCount
    }

    deinit { unsafe HugePages.free(base, max(1, byteCount)) }
}
