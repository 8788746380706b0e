# SPDX-FileCopyrightText: The aad-login authors
# SPDX-License-Identifier: Apache-2.0

"""Prints ten-thousand.txt: python3 ten-thousand.py > ten-thousand.txt

Written from the sentence in ids.txt, without a look at the Go or the C. The
names follow a rule, so that the file need not hold them: they are of every
length from 6 bytes to 113, the longest there is, and of every character that a
name may have.
"""

TENANT = "72f988bf-86f1-41af-91ab-2d7cd011db47"
LOW, HIGH = 1879048192, 2147483646
CHARACTERS = "abcdefghijklmnopqrstuvwxyz0123456789_.-'!#^~"


def name(i):
    tail = "".join(CHARACTERS[(i * (j + 3) + j * j) % 44] for j in range(i % 98))
    return f"{i}{tail}@" + ("contoso.com" if i % 2 else "a.co")


def fnv1a64(data):
    h = 0xCBF29CE484222325
    for byte in data:
        h = (h ^ byte) * 0x100000001B3 % 2**64
    return h


def fmix64(h):
    for factor in 0xFF51AFD7ED558CCD, 0xC4CEB9FE1A85EC53:
        h = (h ^ h >> 33) * factor % 2**64
    return h ^ h >> 33


def identity(upn, attempt):
    h = fmix64(fnv1a64(f"{TENANT}\0{upn}\0{attempt}".encode("ascii")))
    return LOW + 16 + h % (HIGH - LOW - 15)


if __name__ == "__main__":
    print("# Made by ten-thousand.py. Line i, from 0: name i's ids of attempts 0 and 1 + i mod 255.")
    for i in range(10000):
        print(identity(name(i), 0), identity(name(i), 1 + i % 255))
