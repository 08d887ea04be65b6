import Testing

@Suite struct RunTests {
    static let scenarios = [
        "vadd", "local_memory", "sub_groups", "arithmetic", "indirection", "copies", "events", "fences",
    ]

    @Test(arguments: scenarios, ["dg2", "pvc", "xe2", "tgl"])
    func `Programs that break no rule compute what they should`(scenario: String, profile: String) throws {
        guard let device = SoftDevice.find() else { return }
        let result = try device.run(scenario, ["SOFTXPU_PROFILE": profile])
        #expect(result.status == 0 && result.output == "done\n" && result.lines.isEmpty, "\(result.text)")
    }

    @Test(arguments: ["dg2", "pvc", "xe2"])
    func `Matrix functions agree with sums in double`(profile: String) throws {
        guard let device = SoftDevice.find() else { return }
        let result = try device.run("matrix", ["SOFTXPU_PROFILE": profile])
        #expect(result.status == 0 && result.lines.isEmpty, "\(result.text)")
    }

    @Test func `What is free is told where the environment asks for it`() throws {
        guard let device = SoftDevice.find() else { return }
        let asked = try device.run("free_memory", ["ZES_ENABLE_SYSMAN": "1"])
        #expect(asked.status == 0 && asked.output == "done\n" && asked.lines.isEmpty, "\(asked.text)")
        // The loader may say so before the driver is asked.
        let silent = try device.run("free_memory", ["SOFTXPU_LEAKS": "off", "SOFTXPU_STRICT": "0"])
        #expect(silent.status == 3, "\(silent.text)")
    }

    @Test(arguments: [("dg2", 19_200_000), ("pvc", 12_500_000)])
    func `Time stamps of kernels tick as the device says, and begin again`(profile: String, frequency: Int) throws {
        guard let device = SoftDevice.find() else { return }
        // A second before the end of 32 bits.
        let result = try device.run(
            "time_stamps", ["SOFTXPU_PROFILE": profile, "SOFTXPU_TIMER": "\((1 << 32) - frequency)"])
        #expect(result.status == 0 && result.output == "done\n" && result.lines.isEmpty, "\(result.text)")
    }

    @Test func `A native binary is loaded again and refused when it is damaged`() throws {
        guard let device = SoftDevice.find() else { return }
        let result = try device.run("native_binary")
        #expect(result.status == 0 && result.output == "done\n", "\(result.text)")
        #expect(result.lines.count == 1 && result.lines[0].contains("native binary is damaged"), "\(result.text)")
    }

    @Test func `A native binary is refused by another kind of device`() throws {
        guard let device = SoftDevice.find() else { return }
        let result = try device.run("foreign_binary", ["SOFTXPU_PROFILE": "dg2,pvc"])
        #expect(result.status == 0 && result.output == "done\n", "\(result.text)")
        #expect(result.lines.count == 1 && result.lines[0].contains("made for another device"), "\(result.text)")
    }

    @Test(arguments: [
        (
            "dg2",
            "ip 030dc008 local 65536 sizes 8 16 32 products 3 doubles 0 memory 17179869184 largest 4294959104 groups 2"
        ),
        (
            "pvc",
            "ip 030f0007 local 131072 sizes 16 32 products 3 doubles 1 memory 51539607552 largest 4294959104 groups 2"
        ),
        (
            "xe2",
            "ip 05004004 local 131072 sizes 16 32 products 3 doubles 1 memory 12884901888 largest 4294959104 groups 2"
        ),
        (
            "tgl",
            "ip 03000000 local 65536 sizes 8 16 32 products 1 doubles 0 memory 12884901888 largest 4294959104 groups 1"
        ),
    ])
    func `A device reports the limits of its profile`(profile: String, expected: String) throws {
        guard let device = SoftDevice.find() else { return }
        let result = try device.run("properties", ["SOFTXPU_PROFILE": profile])
        #expect(result.status == 0 && result.output == expected + " devices 1\ndone\n", "\(result.text)")
    }

    @Test func `Several devices are visible at once, and a mask hides some`() throws {
        guard let device = SoftDevice.find() else { return }
        let all = try device.run("properties", ["SOFTXPU_PROFILE": "dg2,pvc,tgl"])
        #expect(all.output.contains("ip 030dc008") && all.output.contains("devices 3"), "\(all.text)")
        let masked = try device.run("properties", ["SOFTXPU_PROFILE": "dg2,pvc,tgl", "ZE_AFFINITY_MASK": "1,2"])
        #expect(masked.output.contains("ip 030f0007") && masked.output.contains("devices 2"), "\(masked.text)")
    }

    @Test func `A variable that is not understood is named`() throws {
        guard let device = SoftDevice.find() else { return }
        let result = try device.run("vadd", ["SOFTXPU_PROFILE": "dg3", "SOFTXPU_SEED": "x"])
        #expect(result.status == 0 && result.lines.count == 2, "\(result.text)")
        #expect(result.lines.first?.contains("SOFTXPU_PROFILE=dg3") == true, "\(result.text)")
    }

    @Test func `A runtime that is not there is named, with what to do`() throws {
        guard let device = SoftDevice.find() else { return }
        let result = try device.run("vadd", ["SOFTXPU_OPENCL": "/nowhere/libintelocl.so", "SOFTXPU_LEAKS": "off"])
        #expect(
            result.status == 3 && result.lines.contains { $0.contains("pip install intel-opencl-rt") }, "\(result.text)"
        )
    }

    @Test func `The loader's validation layer reports nothing`() throws {
        guard let device = SoftDevice.find() else { return }
        for scenario in Self.scenarios {
            let result = try device.run(
                scenario, ["ZE_ENABLE_VALIDATION_LAYER": "1", "ZE_ENABLE_PARAMETER_VALIDATION": "1"])
            #expect(
                result.status == 0 && result.output == "done\n" && result.lines.isEmpty, "\(scenario): \(result.text)")
        }
    }
}
