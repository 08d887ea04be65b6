import ArgumentParser
import CPU
import Compute
import JSON
import XPU

/// What there is to compute on.
struct DevicesCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "devices",
        abstract: "List the devices to compute on, and test them.",
        discussion: """
            Examples:
              tgi-run devices
              tgi-run devices --self-test        every kernel against a reference, and how fast it is
              ZE_AFFINITY_MASK=1 tgi-run devices --json

            The self-test reports speeds beside the bandwidth and arithmetic that it measured just before. Exit code 1: a test failed.
            """
    )

    @Flag(help: "Print one JSON object.")
    var json = false

    @Flag(help: "Run every kernel on every device and compare with a reference.")
    var selfTest = false

    /// A device and what was measured on it.
    private struct Entry {
        let report: DeviceReport
        var bandwidth: Double?
        var rates: ArithmeticRates?
        var results: [SelfTest.Result] = []
        var failure: String?
    }

    func run() throws {
        var entries: [Entry] = []
        var missing: String?
        do {
            let reports = try DeviceReport.all()
            if reports.isEmpty { missing = "\(XPUError.noDevice(index: 0, count: 0))" }
            for (index, report) in reports.enumerated() { entries.append(examine(index, report)) }
        } catch { missing = "\(error)" }
        try StandardOutput.write(json ? jsonText(entries, missing) : text(entries, missing))
        let failures = entries.filter { $0.failure != nil || $0.results.contains { !$0.passed } }
        if let first = failures.first {
            throw Failure(
                first.failure.map { "\(first.report.id): \($0)" } ?? "the self-test failed on \(first.report.id)")
        }
    }

    private func examine(_ index: Int, _ report: DeviceReport) -> Entry {
        var entry = Entry(report: report)
        do {
            let backend = try XPUBackend(index: index)
            entry.bandwidth = try backend.readBandwidth()
            guard selfTest else { return entry }
            let rates = try backend.arithmeticRates()
            entry.rates = rates
            SelfTest(backend).run(rates) { result in
                entry.results.append(result)
                Diagnostics.note("\(report.id): \(result.name): \(result.passed ? "PASS" : "FAIL")")
            }
        } catch { entry.failure = "\(error)" }
        return entry
    }

    private var cpu: DeviceInfo { CPUBackend(threads: nil).device }

    private func text(_ entries: [Entry], _ missing: String?) -> String {
        let host = cpu
        var text = "\(host.id)  \(host.name), \(host.threads) threads, \(bytes(host.memory)) memory\n"
        for entry in entries {
            let report = entry.report
            text += "\(report.id)  \(report.name)\n"
            for (name, value) in lines(report) { text += "    \(name.padded(to: 18))\(value)\n" }
            if let bandwidth = entry.bandwidth {
                text += "    \("read bandwidth".padded(to: 18))\(fixed(bandwidth / 1e9, 1)) GB/s, measured now\n"
            }
            if let rates = entry.rates {
                let halves = rates.halves.map { ", f16 products \(fixed($0 / 1e12, 2))" } ?? ""
                text += "    \("arithmetic".padded(to: 18))8-bit products \(fixed(rates.integers / 1e12, 2))\(halves), "
                text += "packed dot products \(fixed(rates.dots / 1e12, 2)), "
                text += "binary32 \(fixed(rates.floats / 1e12, 2)) T/s, measured now\n"
            }
            if !entry.results.isEmpty { text += "\n" + table(entry) + "\n" }
        }
        if let missing { text += "xpu    none: \(missing)\n" }
        return text
    }

    private func lines(_ report: DeviceReport) -> [(String, String)] {
        let version =
            report.ipVersion.map { "\($0.architecture).\($0.release).\($0.revision)" } ?? "not told by the driver"
        return [
            ("IP version", version), ("driver version", String(report.driverVersion)),
            (
                "execution units",
                "\(report.executionUnits) with \(report.threadsPerUnit) threads, \(report.clockMHz) MHz"
            ),
            ("sub-group sizes", report.subgroupSizes.map(String.init).joined(separator: ", ")),
            ("matrix engine", report.matrixLanes.map { "sub-groups of \($0)" } ?? "none"),
            ("dot products", report.hasIntegerDotProducts ? "8-bit integers" : "none"),
            (
                "memory",
                "\(bytes(report.memory))\(report.isIntegrated ? ", the host's" : ""), "
                    + (report.freeMemory.map { "\(bytes($0)) free" } ?? "the driver does not tell how much is free")
            ),
            ("largest buffer", bytes(report.largestAllocation)), ("local memory", bytes(report.localMemory)),
        ]
    }

    private func table(_ entry: Entry) -> String {
        var table = Table([
            ("kernels", .left), ("error", .right), ("bound", .right), ("GB/s", .right), ("of ceiling", .right),
            ("TFLOP/s, 64 rows", .right), ("of ceiling", .right), ("", .left),
        ])
        for result in entry.results {
            let share = result.bytesPerSecond.flatMap { rate in entry.bandwidth.map { rate / $0 } }
            table.add([
                result.name, scientific(result.error), scientific(result.bound),
                result.bytesPerSecond.map { fixed($0 / 1e9, 1) } ?? "", share.map { "\(fixed($0 * 100, 0)) %" } ?? "",
                result.operationsPerSecond.map { fixed($0 / 1e12, 3) } ?? "",
                result.operationsPerSecond.flatMap { rate in
                    result.operationsCeiling.map { "\(fixed(rate / $0 * 100, 0)) %" }
                } ?? "",
                result.passed ? "PASS" : "FAIL \(result.failure ?? "")",
            ])
        }
        return table.rendered
    }

    /// One digit and a power of ten.
    private func scientific(_ value: Double) -> String {
        guard value > 0, value.isFinite else { return value == 0 ? "0" : "\(value)" }
        var exponent = 0
        var mantissa = value
        while mantissa < 1 {
            mantissa *= 10
            exponent -= 1
        }
        while mantissa >= 10 {
            mantissa /= 10
            exponent += 1
        }
        return "\(fixed(mantissa, 1))e\(exponent)"
    }

    private func jsonText(_ entries: [Entry], _ missing: String?) -> String {
        let host = cpu
        var devices: [JSON] = [
            [
                "id": .string(host.id), "name": .string(host.name), "threads": JSON(host.threads),
                "memory": JSON(host.memory),
            ]
        ]
        for entry in entries { devices.append(self.json(entry)) }
        var object = JSONObject()
        object["devices"] = .array(devices)
        if let missing { object["xpu_missing"] = .string(missing) }
        return JSON.object(object).text() + "\n"
    }

    private func json(_ entry: Entry) -> JSON {
        let report = entry.report
        var object = JSONObject()
        object["id"] = .string(report.id)
        object["name"] = .string(report.name)
        object["ip_version"] =
            report.ipVersion.map { .string("\($0.architecture).\($0.release).\($0.revision)") } ?? .null
        object["driver_version"] = JSON(Int(report.driverVersion))
        object["integrated"] = .bool(report.isIntegrated)
        object["execution_units"] = JSON(report.executionUnits)
        object["threads_per_unit"] = JSON(report.threadsPerUnit)
        object["clock_mhz"] = JSON(report.clockMHz)
        object["subgroup_sizes"] = .array(report.subgroupSizes.map { JSON($0) })
        object["matrix_engine_lanes"] = report.matrixLanes.map { JSON($0) } ?? .null
        object["integer_dot_products"] = .bool(report.hasIntegerDotProducts)
        object["memory"] = JSON(report.memory)
        object["memory_free"] = report.freeMemory.map { JSON($0) } ?? .null
        object["largest_allocation"] = JSON(report.largestAllocation)
        object["local_memory"] = JSON(report.localMemory)
        object["read_bytes_per_second"] = entry.bandwidth.map { JSON($0) } ?? .null
        if let failure = entry.failure { object["failure"] = .string(failure) }
        if let rates = entry.rates {
            object["arithmetic_ceilings"] = [
                "integers": JSON(rates.integers), "dots": JSON(rates.dots),
                "halves": rates.halves.map { JSON($0) } ?? .null, "floats": JSON(rates.floats),
            ]
        }
        if selfTest {
            object["self_test"] = .array(
                entry.results.map { result in
                    [
                        "name": .string(result.name), "passed": .bool(result.passed),
                        "error": result.error.isFinite ? JSON(result.error) : .null, "bound": JSON(result.bound),
                        "bytes_per_second": result.bytesPerSecond.map { JSON($0) } ?? .null,
                        "operations_per_second": result.operationsPerSecond.map { JSON($0) } ?? .null,
                        "operations_ceiling": result.operationsCeiling.map { JSON($0) } ?? .null,
                    ]
                })
        }
        return .object(object)
    }
}
