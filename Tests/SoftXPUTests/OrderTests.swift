import Testing

@Suite struct OrderTests {
    /// What a scenario prints for each of a few seeds.
    private func outputs(_ device: SoftDevice, _ scenario: String, _ more: [String: String] = [:]) throws -> [String] {
        try (1...8).map { seed in
            // Nothing begins before the host waits.
            let variables = ["SOFTXPU_SEED": "\(seed)", "SOFTXPU_LINGER": "2000"]
            let result = try device.run(scenario, variables.merging(more) { $1 })
            #expect(result.status == 0 && result.lines.isEmpty, "\(scenario), seed \(seed): \(result.text)")
            return result.output
        }
    }

    @Test(arguments: [("barriers", "121"), ("immediate_barriers", "121"), ("lists_barrier", "7"), ("in_order", "39")])
    func `With barriers every seed gives the same`(scenario: String, expected: String) throws {
        guard let device = SoftDevice.find() else { return }
        #expect(try Set(outputs(device, scenario)) == ["\(expected)\ndone\n"])
    }

    @Test(arguments: ["no_barriers", "immediate_no_barriers", "lists_no_barrier"])
    func `A missing barrier shows in some order, and a seed repeats its order`(scenario: String) throws {
        guard let device = SoftDevice.find() else { return }
        let first = try outputs(device, scenario)
        #expect(Set(first).count > 1)
        #expect(try outputs(device, scenario) == first)
        // In the order of submission the mistake stays hidden.
        #expect(try Set(outputs(device, scenario, ["SOFTXPU_SHUFFLE": "0"])).count == 1)
    }

    @Test func `A result that nobody waited for is not there yet`() throws {
        guard let device = SoftDevice.find() else { return }
        #expect(try Set(outputs(device, "unsynchronized")) == ["0 1\ndone\n"])
    }
}
