import Testing

@Suite struct FaultTests {
    @Test(arguments: [
        ("allocation", ["SOFTXPU_FAIL_ALLOC": "3"], "injected fault: allocation 3 fails"),
        ("small_memory", ["SOFTXPU_MEMORY": "1000000"], "700000 bytes asked for, 300000 of 1000000 are free"),
        ("build", ["SOFTXPU_FAIL_BUILD": "1"], "injected fault: build 1 fails"),
        ("lost", ["SOFTXPU_LOSE_DEVICE": "2"], "injected fault: the device is lost in submission 2"),
        ("hang", ["SOFTXPU_HANG": "1"], "injected fault: submission 1 hangs"),
        ("hang_forever", ["SOFTXPU_HANG": "1"], "injected fault: submission 1 hangs"),
    ])
    func `A program survives an injected fault`(scenario: String, variables: [String: String], message: String) throws {
        guard let device = SoftDevice.find() else { return }
        let result = try device.run(scenario, variables)
        #expect(result.status == 0 && result.output == "done\n", "\(result.text)")
        #expect(result.lines.first?.contains(message) == true, "\(result.text)")
    }

    @Test func `Every allocation from the Nth on can fail`() throws {
        guard let device = SoftDevice.find() else { return }
        let result = try device.run("allocation", ["SOFTXPU_FAIL_ALLOC": "3+", "SOFTXPU_LEAKS": "off"])
        #expect(result.status == 3 && result.lines.count == 3, "\(result.text)")
        #expect(result.lines[1].contains("allocation 4 fails"), "\(result.text)")
    }
}
