"""Known pairs of the curves, and a second opinion on OpenSSL: schoolbook formulas."""

from tee_sim.gp_objects import Curve

# RFC 6979, A.2.5 to A.2.7: secret, x, y.
RFC_6979 = {
    Curve.NIST_P256: (
        "C9AFA9D845BA75166B5C215767B1D6934E50C3DB36E89B127B8A622B120F6721",
        "60FED4BA255A9D31C961EB74C6356D68C049B8923B61FA6CE669622E60F29FB6",
        "7903FE1008B8BC99A41AE9E95628BC64F2F1B20C2D7E9F5177A3C294D4462299",
    ),
    Curve.NIST_P384: (
        "6B9D3DAD2E1B8C1C05B19875B6659F4DE23C3B667BF297BA9AA47740787137D896D5724E4C70A825F872C9EA60D2EDF5",
        "EC3A4E415B4E19A4568618029F427FA5DA9A8BC4AE92E02E06AAE5286B300C64DEF8F0EA9055866064A254515480BC13",
        "8015D9B72D7D57244EA8EF9AC0C621896708A59367F9DFB9F54CA84B3F1C9DB1288B231C3AE0D4FE7344FD2533264720",
    ),
    Curve.NIST_P521: (
        "00FAD06DAA62BA3B25D2FB40133DA757205DE67F5BB0018FEE8C86E1B68C7E75CAA896EB32F1F47C70855836A6D16FCC1466F6D8FBEC67DB8"
        "9EC0C08B0E996B83538",
        "01894550D0785932E00EAA23B694F213F8C3121F86DC97A04E5A7167DB4E5BCD371123D46E45DB6B5D5370A7F20FB633155D38FFA16D2BD76"
        "1DCAC474B9A2F5023A4",
        "00493101C962CD4D2FDDF782285E64584139C2F91B47F87FF82354D6630F746A28A0DB25741B5B34A828008B22ACC23F924FAAFBD4D33F81E"
        "A66956DFEAA2BFDFCF5",
    ),
}

# FIPS 186-4, D.1.2: prime, b, base point. a is -3.
FIPS_186 = {
    Curve.NIST_P256: (
        2**256 - 2**224 + 2**192 + 2**96 - 1,
        0x6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296,
        0x4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5,
    ),
    Curve.NIST_P384: (
        2**384 - 2**128 - 2**96 + 2**32 - 1,
        0xAA87CA22BE8B05378EB1C71EF320AD746E1D3B628BA79B9859F741E082542A385502F25DBF55296C3A545E3872760AB7,
        0x3617DE4A96262C6F5D9E98BF9292DC29F8F41DBD289A147CE9DA3113B5F0B8C00A60B1CE1D7E819D7A431D7C90EA0E5F,
    ),
    Curve.NIST_P521: (
        2**521 - 1,
        int(
            "C6858E06B70404E9CD9E3ECB662395B4429C648139053FB521F828AF606B4D3DBAA14B5E77EFE75928FE1DC127A2FFA8DE3348B3C1856A"
            "429BF97E7E31C2E5BD66",
            16,
        ),
        int(
            "11839296A789A3BC0045C8A5FB42C7D1BD998F54449579B446817AFBD17273E662C97EE72995EF42640C550B9013FAD0761353C7086A27"
            "2C24088BE94769FD16650",
            16,
        ),
    ),
}


def multiplied(curve: Curve, secret: int) -> tuple[int, int]:
    """secret times the base point, by the schoolbook formulas: a second opinion on OpenSSL."""
    p, x, y = FIPS_186[curve]

    def add(one: tuple[int, int] | None, two: tuple[int, int] | None) -> tuple[int, int] | None:
        if one is None or two is None:
            return one or two
        if one[0] == two[0] and (one[1] + two[1]) % p == 0:
            return None
        slope = (
            (3 * one[0] ** 2 - 3) * pow(2 * one[1], -1, p)
            if one == two
            else (two[1] - one[1]) * pow(two[0] - one[0], -1, p)
        )
        x = (slope**2 - one[0] - two[0]) % p
        return x, (slope * (one[0] - x) - one[1]) % p

    total: tuple[int, int] | None = None
    base: tuple[int, int] | None = (x, y)
    while secret:
        if secret & 1:
            total = add(total, base)
        base, secret = add(base, base), secret >> 1
    assert total is not None
    return total
