"""The TEE Internal Core API 1.3.1 for native applications, as the core answers it: one question for each function.

`service.NativeApi` takes the words of a question and hands them to the handler of the function's area; each area is a
module with one table. What a function may return is its row in `tee_sim.shared.gp_functions`.
"""
