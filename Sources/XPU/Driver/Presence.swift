internal import Glibc

/// Signs of a GPU that cost next to nothing to look for: opening the loader and its drivers takes tens of milliseconds.
package enum Presence {
    /// Whether the kernel knows an Intel GPU, or the user names a driver. Without either there is nothing to open.
    package static var isLikely: Bool {
        if unsafe getenv("ZE_ENABLE_ALT_DRIVERS") != nil { return true }
        // Windows' subsystem for Linux shows its GPUs here.
        if unsafe access("/dev/dxg", F_OK) == 0 { return true }
        return renderNodes.contains { isIntel("/sys/class/drm/renderD\($0)/device/vendor") }
    }

    private static let renderNodes = 128..<192
    private static let intel = Array("0x8086".utf8)

    private static func isIntel(_ path: String) -> Bool {
        guard let file = unsafe fopen(path, "r") else { return false }
        defer { unsafe fclose(file) }
        var vendor = [UInt8](repeating: 0, count: intel.count)
        return unsafe fread(&vendor, 1, vendor.count, file) == vendor.count && vendor == intel
    }
}
