"""There is no import after the lock: what the library needs later was loaded with what answers applications."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]
LATE = """
import sys
from importlib.abc import MetaPathFinder

import tee_sim.gp_api.service

late = set()


class Spy(MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        late.add(name)


sys.meta_path.insert(0, Spy())
from tests.native.crypto import test_known_answers, test_known_signatures, test_rsa
from tests.native.crypto.ta import vectors

late.discard("cryptography.hazmat.primitives.ciphers.aead")  # of the store of this test
for file, test in (
    ("digests", test_known_answers.test_digest),
    ("ciphers", test_known_answers.test_cipher),
    ("macs", test_known_answers.test_mac),
    ("authenticated", test_known_answers.test_authenticated_encryption),
    ("signatures", test_known_signatures.test_signature),
    ("derivations", test_known_signatures.test_derivation),
):
    for row in vectors(file):
        test(row)
test_rsa.test_pkcs1_encryption(b"m")
test_rsa.test_oaep(test_rsa.OAEP[1], b"label", "SHA1")
test_rsa.test_pss_signatures(test_rsa.PSS[0], 0)
print(sorted(name for name in late if name.split(".")[0] in ("cryptography", "nacl")))
"""


def test_nothing_is_imported_later() -> None:
    ran = subprocess.run([sys.executable, "-c", LATE], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (ran.stdout, ran.stderr) == ("[]\n", "")
