#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The score of "Lantern", a jazz waltz in D major, and the little program that turns it into MIDI files.

compose.py FOLDER writes one MIDI file for each stem into FOLDER and prints a line for each:
name, sample rate, channels, gain in dB, top in Hz, seconds to skip, seconds to keep, seconds of fade-out.

Form, in bars of 3/4 at 120: introduction 0-3, A 4-19, B 20-27 (a little faster, 125), A' 28-35, coda 36-38 (slowing down
to 66) and a last chord in 4/4. The stems follow the tempo map of lantern.json: MAP below is the same map.

How notes are written: PITCH/BEATS, [chord tones]/BEATS, r/BEATS is a rest, | a bar line (checked), p, mp, mf... a dynamic.
"""
import math
import random
import re
import struct
import sys

MAP = [(0, 120, "step"), (60, 125, "step"), (84, 120, "step"), (108, 120, "ramp"), (117, 66, "step")]  # beat, bpm, curve
INTRO, A, B, A2, CODA, END = 0, 12, 60, 84, 108, 117  # beats
SWUNG = [(A, B), (A2, CODA)]  # where the second eighth of a beat comes late
SWING = 0.62
DYNAMICS = {"pp": 36, "p": 48, "mp": 62, "mf": 76, "f": 92}
TICKS = 4800  # a second: at 60 beats a minute, all of the tempo lies in the notes

# ---------------------------------------------------------------- the flute sings

FLUTE_A = """
mp r/2 A4/1 |
D5/1.5 E5/.5 F#5/1 | A5/2 F#5/1       | G5/1.5 F#5/.5 E5/1 | F#5/2 C#5/1 |
E5/1.5 C#5/.5 A4/1 | C5/1 D#5/1 F#5/1 | mf G5/2 B5/1       | A5/2 mp A4/1 |
mf D5/1.5 E5/.5 F#5/1 | A5/1.5 B5/.5 C6/1 | B5/2 F#5/1     | Bb5/1.5 G5/.5 E5/1 |
mp A5/1.5 E5/.5 C#5/1 | D5/1.5 E5/.5 F#5/1 | B4/1 G5/1 F#5/1 | p E5/1 D5/2 |
"""
FLUTE_A2 = """
mp r/2 A4/1 |
mf D5/1.5 E5/.5 F#5/1 | A5/1.5 B5/.5 C6/1  | f D6/2 B5/1        | mf Bb5/1.5 G5/.5 E5/1 |
A5/1.5 E5/.5 C#5/1    | D5/1.5 E5/.5 F#5/1 | mp G5/1.5 F#5/.5 E5/1 | F#5/2 C#5/1 |
mf D5/1.5 F5/.5 A5/1  | mp G5/1.5 E5/.5 D5/1 | p Bb4/1 D5/1 E5/1  | p F#5/7 r/1 |
"""

# ---------------------------------------------------------------- chords of the piano, one voicing a bar, led by step

D_MAJ9, B_M9, E_M9, A_13 = "F#3 A3 C#4 E4", "F#3 A3 C#4 D4", "G3 B3 D4 F#4", "G3 B3 C#4 F#4"
PIANO_INTRO = [D_MAJ9, "F#3 A3 B3 D4", "E3 G3 B3 D4", "E3 G3 B3 C#4"]
PIANO_A = [D_MAJ9, B_M9, E_M9, A_13, D_MAJ9, "F#3 A3 C4 D#4", "G3 B3 D4 E4", "G3 B3 D4 E4",
           D_MAJ9, "F#3 A3 C4 E4", "F#3 A3 B3 D4", "E3 G3 Bb3 D4",
           "E3 F#3 A3 C#4", "D3 F#3 A3 C#4", "D3 F#3 G3 B3", "F#3 A3 B3 E4"]
PIANO_B = ["F3 A3 Bb3 D4", "E3 A3 Bb3 D4", "E3 G3 A3 C4", "F3 A3 C4 E4",
           "F3 A3 Bb3 D4", "E3 G3 Bb3 D4", "E3 G3 B3 D4", "E3 G3 Bb3 C#4"]
PIANO_A2 = PIANO_A[8:15] + ["C#3 F#3 G3 B3"]
PIANO_CODA = ["D3 F3 A3 C4", "E3 G3 A3 D4", "E3 G3 Bb3 D4"]
PIANO_LAST = "p D2/.25 A2/.25 F#3/.25 B3/.25 [D2 A2 F#3 B3 E4 A4]/7 |"

# ---------------------------------------------------------------- the upright bass

BASS = """
mf D2/2 A2/1  | B1/2 F#2/1      | E2/2 G2/1     | A1/1 E2/1 G2/1 | F#2/2 E2/1     | B1/2 D#2/1     | E2/2 B1/1     | A1/2 C#2/1 |
D2/2 A1/1     | D2/1 C2/1 A1/1  | G1/2 D2/1     | G1/2 Bb1/1     | F#2/2 C#2/1    | B1/2 D2/1      | E2/2 A1/1     | D2/2 A1/1 |
G1/1.5 D2/1.5 | C2/1.5 G1/1.5   | F2/1.5 C2/1.5 | D2/1.5 A1/1.5  | Bb1/1.5 F2/1.5 | E2/1.5 Bb1/1.5 | A1/1.5 E2/1.5 | A1/1 B1/1 C#2/1 |
D2/2 A1/1     | D2/1 C2/1 A1/1  | G1/2 D2/1     | G1/2 Bb1/1     | F#2/2 C#2/1    | B1/2 D2/1      | mp E2/2 B1/1  | A1/2 C#2/1 |
mp Bb1/3      | p C2/3          | D2/3          | p D2/8 |
"""

# ---------------------------------------------------------------- strings: three voices that move as little as they can

STRINGS_B = """
p [G3 D4 Bb4]/3 | [G3 E4 Bb4]/3 | mp [A3 E4 C5]/3 | [A3 F4 C5]/3 | [Bb3 F4 D5]/3 | mf [Bb3 G4 D5]/3 | [A3 G4 D5]/3 | [A3 G4 C#5]/6 |
"""
STRINGS_A2 = """
p [A3 F#4 C#5]/3 | [A3 F#4 C5]/3 | mf [B3 F#4 B4]/3 | [Bb3 E4 Bb4]/3 | mp [A3 E4 A4]/3 | [A3 D4 A4]/3 | [G3 D4 F#4]/3 | [G3 C#4 F#4]/3 |
p [F3 D4 A4]/3 | [G3 E4 A4]/3 | [G3 E4 Bb4]/3 | p [F#3 D4 A4]/7 r/1 |
"""

# ---------------------------------------------------------------- vibraphone: the tune of B, then answers to the flute

VIBES = """
mf D5/1.5 F5/.5 A5/1 | G5/2 E5/1 | C5/1.5 E5/.5 G5/1 | F5/2 E5/1 |
D5/1.5 F5/.5 A5/1 | f Bb5/1.5 A5/.5 G5/1 | mf A5/1 G5/1 E5/1 | mp C#5/1 Bb4/1 A4/1 |
p r/1 A4/1 C#5/1 | E5/2 r/1 | mp r/1 F#5/1 A5/1 | G5/2 r/1 | p r/1 A4/1 C#5/1 | F#5/2 r/1 | r/1 D5/1 B4/1 | G4/1 B4/1 C#5/1 |
p F5/3 | E5/3 | r/1 G4/1 Bb4/1 | pp A4/.5 B4/.5 D5/.5 E5/.5 A5/6 |
"""

SPARK = "mf D5/.125 E5/.125 F#5/.125 A5/.125 B5/.125 D6/.125 E6/.125 F#6/.125 A6/2 |"  # one bar of glitter on the celesta

# ---------------------------------------------------------------- drums: two bars that loop; x an accent, o soft, - nothing

KICK = {36: "x----- o----o"}
SNARE = {37: "----x- ----x-", 39: "---o-- -o---o"}
HATS = {42: "x--oxo x-ooxo", 44: "--x--- --x---"}
SHAKER = {82: "xoxoxo xoxoxo"}

KEYS = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}


def pitch(name):
    accidental = name.count("#") - name.count("b")
    return 12 * (int(name[-1]) + 1) + KEYS[name[0]] + accidental


def parse(text, start):
    """(beat, beats, key, velocity) of all notes of a line of music that begins at beat `start`."""
    notes, beat, velocity = [], start, DYNAMICS["mf"]
    for word in re.findall(r"\[[^]]*\]/\S+|\S+", text):
        if word in DYNAMICS:
            velocity = DYNAMICS[word]
        elif word == "|":
            if beat % 3 != 0 and beat != END + 8:  # the last chord's two bars of four count as one
                raise ValueError(f"bar line at beat {beat}")
        else:
            names, beats = word.rsplit("/", 1)
            notes += [(beat, float(beats), pitch(name), velocity) for name in names.strip("[]").split() if name != "r"]
            beat += float(beats)
    return notes


def comp(chords, start, velocity, figure):
    """Chords in a figure: (beat in the bar, beats, which of the four voices)."""
    notes = []
    for bar, chord in enumerate(chords):
        keys = [pitch(name) for name in chord.split()]
        for at, beats, voices in figure(bar):
            notes += [(start + 3 * bar + at, beats, keys[voice], velocity + (0 if at else 5)) for voice in voices]
    return notes


def broken(_):
    """Eighths up and down through the chord, the lowest voice held."""
    return [(0, 2.9, [0]), (.5, 2, [1]), (1, 2, [2]), (1.5, 1.5, [3]), (2, 1, [2]), (2.5, .5, [1])]


def dotted(bar):
    """Two against three: every other bar with a soft push into the next."""
    push = [(2.5, .45, [1, 2, 3])] if bar % 2 else []
    return [(0, 1.3, [0, 1, 2, 3]), (1.5, .9, [1, 2, 3])] + push


def held(_):
    return [(0, 2.95, [0, 1, 2, 3])]


def guitar(_):
    return [(0, 2.9, [0]), (.5, 1, [2]), (1, 1, [3]), (1.5, 1, [1]), (2, 1, [2]), (2.5, .5, [3])]


def drums(lines, swing):
    """(beat, key, velocity) of the strokes of two bars: a cell is an eighth, the second of a beat lies at `swing`."""
    notes = []
    for key, line in lines.items():
        for cell, mark in enumerate(line.replace(" ", "")):
            if mark != "-":
                beat = cell // 2 + (swing if cell % 2 else 0)
                notes.append((beat, key, (88 if mark == "x" else 52) + (6 if cell % 6 == 0 else 0)))
    return notes


def seconds(beat):
    """Where `beat` lies. On a ramp bpm(b) = v + s b, so that the time is the integral of 60 / bpm: 60 / s ln(bpm / v)."""
    time = 0.0
    for number, (at, bpm, curve) in enumerate(MAP):
        until = MAP[number + 1][0] if number + 1 < len(MAP) else math.inf
        span = min(beat, until) - at
        if span <= 0:
            break
        if curve == "ramp":
            slope = (MAP[number + 1][1] - bpm) / (until - at)
            time += 60 / slope * math.log((bpm + slope * span) / bpm)
        else:
            time += 60 / bpm * span
    return time


def swung(beat):
    if not any(first <= beat < last for first, last in SWUNG):
        return beat
    whole, part = divmod(beat, 1)
    return whole + (part * 2 * SWING if part < .5 else SWING + (part - .5) * 2 * (1 - SWING))


def played(notes, start, human, seed):
    """Notes as a player plays them: (second from beat `start`, second of the end, key, velocity)."""
    chance = random.Random(seed)
    result = []
    for beat, beats, key, velocity in sorted(notes):
        early = chance.gauss(0, human)
        first = max(0.0, seconds(swung(beat)) - seconds(start) + (early if beat > start else 0))
        last = seconds(swung(beat + beats)) - seconds(start) - .02
        accent = 4 if beat % 3 == 0 else 0
        loudness = max(1, min(127, velocity + accent + round(chance.gauss(0, 2.5))))
        result.append((first, max(last, first + .05), key, loudness))
    return result


def number(value):
    """MIDI's variable-length number."""
    digits = [value & 127]
    while value := value >> 7:
        digits.append(value & 127 | 128)
    return bytes(reversed(digits))


def midi(notes, program, channel, expression):
    """A file of one track: `notes` as played() gives them, `expression` as (second, value 0-127)."""
    events = [(0.0, 0, bytes([0xC0 | channel, program]))]
    events += [(at, 1, bytes([0xB0 | channel, 11, value])) for at, value in expression]
    for first, last, key, velocity in notes:
        events += [(first, 3, bytes([0x90 | channel, key, velocity])), (last, 2, bytes([0x80 | channel, key, 0]))]
    track, now = b"\0\xff\x51\x03" + (1000000).to_bytes(3, "big"), 0
    for at, _, data in sorted(events):
        tick = round(at * TICKS)
        track += number(tick - now) + data
        now = tick
    track += b"\0\xff\x2f\0"
    return b"MThd" + struct.pack(">IHHH", 6, 0, 1, TICKS) + b"MTrk" + struct.pack(">I", len(track)) + track


def swells(points, start):
    """Expression that moves in a straight line between (beat, value), twenty steps a second."""
    result = []
    for (beat, value), (until, target) in zip(points, points[1:]):
        first, last = seconds(beat) - seconds(start), seconds(until) - seconds(start)
        steps = max(1, int((last - first) * 20))
        result += [(first + (last - first) * i / steps, round(value + (target - value) * i / steps)) for i in range(steps)]
    return result


PIANO = (comp(PIANO_INTRO, INTRO, 52, broken) + comp(PIANO_A, A, 56, dotted) + comp(PIANO_B, B, 46, held)
         + comp(PIANO_A2, A2, 60, dotted) + comp(PIANO_CODA, CODA, 46, broken) + parse(PIANO_LAST, END))
GUITAR = comp(PIANO_B, B, 72, guitar) + comp(PIANO_A2, A2, 66, guitar)
FLUTE_BREATH = [(A - 3, 92), (A + 9, 112), (A + 12, 104), (A + 21, 118), (A + 24, 108), (A + 33, 118), (A + 48, 98)]
FLUTE_BREATH2 = [(A2 - 3, 96), (A2 + 6, 116), (A2 + 9, 120), (A2 + 24, 106), (CODA + 3, 114), (END, 104), (END + 2, 108), (END + 7, 44)]
STRINGS_SWELL = [(B, 78), (B + 18, 108), (B + 27, 80)]
STRINGS_SWELL2 = [(A2, 74), (A2 + 8, 110), (A2 + 21, 90), (CODA + 3, 106), (END, 92), (END + 3, 104), (END + 7, 50)]
BRUSHES, CELESTA, BASS_PROGRAM, GUITAR_PROGRAM, VIBRAPHONE, STRINGS, FLUTE = 40, 8, 32, 24, 11, 48, 73
DRUM_CHANNEL = 9

# name: program, notes, beat where the stem begins, beat where it ends, expression, player's looseness in seconds,
#       sample rate, channels, gain in dB, Hz above which nothing is missed
PARTS = {
    "piano": (0, PIANO, INTRO, END + 8, [], .006, 48000, 1, 4, 12000),
    "bass": (BASS_PROGRAM, parse(BASS, A), A, END + 8, [], .005, 48000, 1, 3, 5000),
    "guitar": (GUITAR_PROGRAM, GUITAR, B, CODA + 2, [], .006, 48000, 1, 2, 12000),
    "strings-b": (STRINGS, parse(STRINGS_B, B), B, A2 + 3, STRINGS_SWELL, .008, 44100, 2, 0, 12000),
    "strings-a": (STRINGS, parse(STRINGS_A2, A2), A2, END + 8, STRINGS_SWELL2, .008, 44100, 2, 0, 12000),
    "flute-a": (FLUTE, parse(FLUTE_A, A - 3), A - 3, B + 1, FLUTE_BREATH, .008, 48000, 1, 2, 12000),
    "flute-b": (FLUTE, parse(FLUTE_A2, A2 - 3), A2 - 3, END + 8, FLUTE_BREATH2, .008, 48000, 1, 2, 12000),
    "vibes": (VIBRAPHONE, parse(VIBES, B), B, END + 8, [], .007, 48000, 1, 6, 12000),
    "spark": (CELESTA, parse(SPARK, 0), 0, 3, [], 0, 44100, 2, 2, 18000),
}
# name: two bars, beats a minute, swing
LOOPS = {
    "kick": (KICK, 120, SWING), "snare": (SNARE, 120, SWING), "hats": (HATS, 120, SWING),
    "kick-b": (KICK, 125, .5), "snare-b": (SNARE, 125, .5), "shaker-b": (SHAKER, 125, .5),
}


def main(folder):
    for seed, (name, part) in enumerate(PARTS.items()):
        program, notes, start, end, expression, human, rate, channels, gain, top = part
        data = midi(played(notes, start, human, seed), program, 0, swells(expression, start))
        write(folder, name, data, rate, channels, gain, top, 0, seconds(end) - seconds(start), .5)
    for seed, (name, (lines, bpm, swing)) in enumerate(LOOPS.items()):
        chance = random.Random(100 + seed)
        length = 6 * 60 / bpm
        once = [(beat * 60 / bpm + (abs(chance.gauss(0, .003)) if beat else 0), key, velocity + round(chance.gauss(0, 3)))
                for beat, key, velocity in drums(lines, swing)]
        # The second time round is kept: it begins with what still rings from the first.
        notes = [(at + time * length, at + time * length + .2, key, velocity) for time in range(3) for at, key, velocity in once]
        program = 0 if name.startswith("shaker") else BRUSHES
        write(folder, name, midi(notes, program, DRUM_CHANNEL, []), 48000, 1, 3, 18000, length, length, 0)
    cymbal = midi([(0.0, 3.0, 49, 58)], BRUSHES, DRUM_CHANNEL, [])
    write(folder, "cymbal", cymbal, 48000, 1, 6, 18000, 0, 3.0, 1.5)


def write(folder, name, data, rate, channels, gain, top, skip, keep, fade):
    with open(f"{folder}/{name}.mid", "wb") as file:
        file.write(data)
    print(name, rate, channels, gain, top, f"{skip:.6f}", f"{keep:.6f}", fade)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: compose.py FOLDER")
    main(sys.argv[1])
