/// What is known of a device without running anything on it.
package struct DeviceReport: Sendable {
    package let id: String
    package let name: String
    package let driverVersion: UInt32
    /// Architecture, release and revision of the graphics IP; `nil` where the driver does not tell.
    package let ipVersion: (architecture: Int, release: Int, revision: Int)?
    package let isIntegrated: Bool
    package let executionUnits: Int
    package let threadsPerUnit: Int
    package let clockMHz: Int
    package let subgroupSizes: [Int]
    package let hasIntegerDotProducts: Bool
    /// Sub-group size of the matrix engine.
    package let matrixLanes: Int?
    package let localMemory: Int
    package let largestAllocation: Int
    package let memory: Int
    /// `nil` where the driver does not tell.
    package let freeMemory: Int?

    /// All devices that Level Zero shows, in the order of `xpu:N`.
    package static func all() throws(XPUError) -> [DeviceReport] {
        let levelZero = try LevelZero.shared()
        return levelZero.devices.enumerated().map { DeviceReport($0, $1, free: levelZero.freeMemory(of: $1)) }
    }

    private init(_ index: Int, _ device: PhysicalDevice, free: Int?) {
        id = "xpu:\(index)"
        name = device.name
        driverVersion = device.driverVersion
        let version = device.ipVersion
        ipVersion = version == 0 ? nil : (Int(version >> 22), Int(version >> 14 & 255), Int(version & 63))
        isIntegrated = device.isIntegrated
        executionUnits = device.units
        threadsPerUnit = device.threadsPerUnit
        clockMHz = device.clockMHz
        subgroupSizes = device.subgroupSizes
        hasIntegerDotProducts = device.hasDot4
        matrixLanes = device.matrixLanes
        localMemory = device.localMemory
        largestAllocation = device.maxAllocation
        memory = device.memory
        freeMemory = free
    }
}
