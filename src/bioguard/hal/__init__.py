"""Session rules of the Android biometric HALs, as the framework meets them.

Normal world: holds no key, decides no match.
"""
