/// The limits and properties of a kind of GPU: what a program may rely on there. Published facts about the hardware and what Intel's
/// driver reports for it.
struct Profile {
    let name: String
    /// The product it stands for.
    let product: String
    let deviceID: UInt32
    /// Architecture, release and revision.
    let ip: (UInt32, UInt32, UInt32)
    let isIntegrated: Bool
    let slices: UInt32
    /// Xe cores (dual sub-slices) per slice, vector engines per Xe core, hardware threads per engine.
    let coresPerSlice: UInt32
    let enginesPerCore: UInt32
    let threadsPerEngine: UInt32
    let simdWidth: UInt32
    /// MHz.
    let clock: UInt32
    let memory: UInt64
    /// Bytes of the largest allocation without relaxed limits.
    let largestAllocation: UInt64
    /// Bytes of local memory of a work-group.
    let localMemory: UInt32
    let cache: Int
    let subGroupSizes: [UInt32]
    /// The sub-group size of the matrix engine; nil: there is none.
    let matrixSubGroupSize: UInt32?
    let hasDoubles: Bool
    /// A copy engine of its own, as a second queue group.
    let hasCopyEngine: Bool
    /// Ticks per second of time stamps.
    let timerFrequency: UInt64

    static let largestGroup: UInt32 = 1024

    /// Hardware threads that one work-group can have; large register files halve them.
    func threadsPerGroup(largeRegisters: Bool) -> UInt32 {
        enginesPerCore * threadsPerEngine / (largeRegisters ? 2 : 1)
    }
    var ipVersion: UInt32 { ip.0 << 22 | ip.1 << 14 | ip.2 }
    var engineCount: UInt32 { slices * coresPerSlice * enginesPerCore }

    private static let gigabytes: UInt64 = 1 << 30

    static let dg2 = Profile(
        name: "dg2", product: "Arc A770", deviceID: 0x56a0, ip: (12, 55, 8), isIntegrated: false,
        slices: 8, coresPerSlice: 4, enginesPerCore: 16, threadsPerEngine: 8, simdWidth: 8, clock: 2400,
        memory: 16 * gigabytes, largestAllocation: 4 * gigabytes - 8192, localMemory: 64 << 10, cache: 16 << 20,
        subGroupSizes: [8, 16, 32], matrixSubGroupSize: 8, hasDoubles: false, hasCopyEngine: true,
        timerFrequency: 19_200_000)
    static let pvc = Profile(
        name: "pvc", product: "Data Center GPU Max 1100", deviceID: 0x0bda, ip: (12, 60, 7), isIntegrated: false,
        slices: 1, coresPerSlice: 56, enginesPerCore: 8, threadsPerEngine: 8, simdWidth: 16, clock: 1550,
        memory: 48 * gigabytes, largestAllocation: 4 * gigabytes - 8192, localMemory: 128 << 10, cache: 108 << 20,
        subGroupSizes: [16, 32], matrixSubGroupSize: 16, hasDoubles: true, hasCopyEngine: true,
        timerFrequency: 12_500_000)
    static let xe2 = Profile(
        name: "xe2", product: "Arc B580", deviceID: 0xe20b, ip: (20, 1, 4), isIntegrated: false,
        slices: 5, coresPerSlice: 4, enginesPerCore: 8, threadsPerEngine: 8, simdWidth: 16, clock: 2850,
        memory: 12 * gigabytes, largestAllocation: 4 * gigabytes - 8192, localMemory: 128 << 10, cache: 18 << 20,
        subGroupSizes: [16, 32], matrixSubGroupSize: 16, hasDoubles: true, hasCopyEngine: true,
        timerFrequency: 19_200_000)
    static let tgl = Profile(
        name: "tgl", product: "Iris Xe", deviceID: 0x9a49, ip: (12, 0, 0), isIntegrated: true,
        slices: 1, coresPerSlice: 6, enginesPerCore: 16, threadsPerEngine: 7, simdWidth: 8, clock: 1300,
        memory: 12 * gigabytes, largestAllocation: 4 * gigabytes - 8192, localMemory: 64 << 10, cache: 3840 << 10,
        subGroupSizes: [8, 16, 32], matrixSubGroupSize: nil, hasDoubles: false, hasCopyEngine: false,
        timerFrequency: 12_000_000)

    static let all = [dg2, pvc, xe2, tgl]
}
