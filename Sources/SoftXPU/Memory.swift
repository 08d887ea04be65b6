internal import CSoftXPU
import Glibc

enum MemoryKind: UInt8 {
    case device, host, shared

    var name: String { ["device", "host", "shared"][Int(rawValue)] }
}

/// A USM allocation. Its address range, with guard pages around it, is never used again, so a stale pointer is recognized for ever. The
/// allocation ends as close to the upper guard page as its alignment lets it; the rest of its pages holds a pattern that must not change.
final class Allocation {
    let serial: Int
    let kind: MemoryKind
    let context: Context
    let device: Device?
    let start: UInt
    let size: Int
    /// The range with guard pages, and the pages between them.
    let reserved: Range<UInt>
    let pages: Range<UInt>
    private(set) var isFreed = false
    /// Every kernel of the context may reach it (zeContextMakeMemoryResident).
    var isResident = false
    private(set) var isLocked = false
    private let entry: Int64

    static let pageSize: UInt = 4096
    /// What fresh memory holds: no float is a number, every integer is far off.
    private static let fresh: UInt8 = 0xff
    private static let margin: UInt8 = 0xa5

    /// nil: the system has no memory or no address range left.
    init?(_ serial: Int, _ kind: MemoryKind, _ context: Context, _ device: Device?, size: Int, alignment: Int) {
        let page = Self.pageSize
        // 64 bytes where nothing is asked for: a program that needs more must say so.
        let align = UInt(max(alignment, 64))
        let body = (UInt(size) + page - 1) / page * page
        let slack = align > page ? align : 0
        let length = body + slack + 2 * page
        guard let base = unsafe mmap(nil, Int(length), PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0),
            unsafe base != MAP_FAILED
        else { return nil }
        let low = UInt(bitPattern: base)
        let end = low + length - page
        start = (end - UInt(size)) / align * align
        pages = start / page * page..<end
        reserved = low..<low + length
        guard
            unsafe mprotect(UnsafeMutableRawPointer(bitPattern: pages.lowerBound), pages.count, PROT_READ | PROT_WRITE)
                == 0
        else {
            unsafe munmap(base, Int(length))
            return nil
        }
        self.serial = serial
        self.kind = kind
        self.context = context
        self.device = device
        self.size = size
        let bytes = unsafe UnsafeMutableRawPointer(bitPattern: pages.lowerBound)!
        unsafe memset(bytes, CInt(Self.margin), pages.count)
        unsafe memset(UnsafeMutableRawPointer(bitPattern: start)!, CInt(Self.fresh), size)
        entry = softxpu_memory_add(
            softxpu_memory(
                reserved: reserved.lowerBound, reservedEnd: reserved.upperBound, start: start, size: UInt(size),
                serial: UInt32(truncatingIfNeeded: serial), kind: kind.rawValue, state: UInt8(SOFTXPU_UNLOCKED.rawValue)
            ))
    }

    var end: UInt { start + UInt(size) }
    var label: String { "\(kind.name) allocation #\(serial) (\(size) bytes)" }

    private func protect(_ mode: CInt) {
        unsafe mprotect(UnsafeMutableRawPointer(bitPattern: pages.lowerBound), pages.count, mode)
    }

    /// Keeps the host away.
    func lock() {
        if isLocked || isFreed { return }
        isLocked = true
        softxpu_memory_set_state(entry, UInt8(SOFTXPU_LOCKED.rawValue))
        protect(PROT_NONE)
    }

    /// Lets the device in.
    func unlock() {
        if !isLocked || isFreed { return }
        isLocked = false
        protect(PROT_READ | PROT_WRITE)
        softxpu_memory_set_state(entry, UInt8(SOFTXPU_UNLOCKED.rawValue))
    }

    /// The distance from the allocation of the first byte around it that something wrote to, if any: negative before its start, from zero on
    /// behind its end.
    func damage() -> Int? {
        let wasLocked = isLocked
        unlock()
        defer { if wasLocked { lock() } }
        func first(_ range: Range<UInt>) -> UInt? {
            range.first { unsafe UnsafePointer<UInt8>(bitPattern: $0)!.pointee != Self.margin }
        }
        if let address = first(end..<pages.upperBound) { return Int(address - end) }
        if let address = first(pages.lowerBound..<start) { return -Int(start - address) }
        return nil
    }

    /// Gives the memory back and keeps the address range.
    func free() {
        isFreed = true
        softxpu_memory_set_state(entry, UInt8(SOFTXPU_FREED.rawValue))
        unsafe mmap(
            UnsafeMutableRawPointer(bitPattern: pages.lowerBound), pages.count, PROT_NONE,
            MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0)
    }
}

/// Every allocation there ever was, by address.
struct AddressSpace {
    private var sorted: [Allocation] = []
    private var living: [Int: Allocation] = [:]
    /// How many were ever made resident.
    private var residents = 0

    private func position(_ address: UInt) -> Int {
        var low = 0
        var high = sorted.count
        while low < high {
            let middle = (low + high) / 2
            if sorted[middle].reserved.lowerBound <= address { low = middle + 1 } else { high = middle }
        }
        return low
    }

    mutating func insert(_ allocation: Allocation) {
        sorted.insert(allocation, at: position(allocation.reserved.lowerBound))
        living[allocation.serial] = allocation
    }

    /// Frees an allocation and keeps its addresses.
    mutating func free(_ allocation: Allocation) {
        allocation.free()
        living[allocation.serial] = nil
    }

    /// The allocation, living or freed, in whose range with guard pages an address lies.
    func owner(_ address: UInt) -> Allocation? {
        let index = position(address) - 1
        guard index >= 0, sorted[index].reserved.contains(address) else { return nil }
        return sorted[index]
    }

    var live: [Allocation] { living.values.sorted { $0.serial < $1.serial } }

    /// Those that a kernel may reach although it does not name them.
    func reachable(from context: Context, kinds: Set<MemoryKind>) -> [Allocation] {
        if kinds.isEmpty && residents == 0 { return [] }
        return living.values.filter { $0.context === context && ($0.isResident || kinds.contains($0.kind)) }
    }

    mutating func setResident(_ allocation: Allocation, _ isResident: Bool) {
        residents += isResident ? 1 : 0
        allocation.isResident = isResident
    }
}
