/// Which devices have a matrix engine (DPAS), and the sub-group size that it works in. Published facts about the hardware.
enum MatrixEngine {
    /// Architecture and release of the graphics IP.
    private static let byIP: [(architecture: UInt32, releases: ClosedRange<UInt32>, lanes: Int)] = [
        (12, 55...57, 8),  // DG2: Arc A, Flex
        (12, 60...61, 16),  // PVC: Max
        (12, 74...74, 8),  // Arrow Lake H
        (20, 0...255, 16),  // Battlemage, Lunar Lake
        (30, 0...255, 16),  // Panther Lake
    ]

    /// PCI ids, for drivers that do not tell the IP version.
    private static let byID: [(ids: Range<UInt32>, lanes: Int)] = [
        (0x4f80..<0x4f90, 8), (0x5690..<0x56d0, 8), (0x0bd0..<0x0be0, 16), (0x0b60..<0x0b70, 16),
    ]

    static func lanes(ipVersion: UInt32, deviceID: UInt32) -> Int? {
        guard ipVersion != 0 else { return byID.first { $0.ids.contains(deviceID) }?.lanes }
        let (architecture, release) = (ipVersion >> 22, ipVersion >> 14 & 255)
        return byIP.first { $0.architecture == architecture && $0.releases.contains(release) }?.lanes
    }
}
