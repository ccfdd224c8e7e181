# SPDX-License-Identifier: MIT
"""Notes and musical time, to the frame: note clips, MIDI files, tempo changes, what plugins are told of bars and beats.
test_plugins_notes.py LOOPHOLE LOOPHOLE-SIGNAL BUNDLES"""
import struct
import sys

import numpy as np

from plugged import command, node, noise, same, source, through
from studio import RATE, render, within
from tap import contains, equal, run_tests, write

FRAMES = 400000
# Beats at which a tempo begins, and how many a minute.
TEMPO = [(0, 120.0), (4, 90.0), (7, 200.0), (9.5, 61.0)]
TEMPO_MAP = [{"at": {"beats": beat}, "bpm": bpm, "curve": "step"} for beat, bpm in TEMPO]


def frame_of(beat, tempo=None):
    """Where a beat is, by the definition: whole stretches and the rest."""
    tempo = tempo or TEMPO
    time = 0.0
    for (start, bpm), (end, _) in zip(tempo, [*tempo[1:], (float("inf"), 0)]):
        time += max(0.0, min(beat, end) - start) * 60 / bpm
    return int(np.rint(time * RATE))


def note(at, duration, key=60, velocity=100, **members):
    return {"at": {"beats": at}, "duration": {"beats": duration}, "key": key, "velocity": velocity, **members}


def clicks(notes, begin=0.0, frames=FRAMES, end=None, tempo=None):
    """What click-synth makes of (at, duration, velocity), in beats from where the clip begins, up to where it ends."""
    sound = np.zeros(frames, np.float32)
    for at, duration, velocity in notes:
        on = frame_of(begin + at, tempo)
        off = frame_of(begin + at + duration, tempo)
        if end is not None:
            off = min(off, frame_of(end, tempo))
        level = np.float32(velocity) / np.float32(127)
        sound[on] += level
        if off < frames:
            sound[off] -= level
    return sound


def play(folder, clips, nodes=(), options=(), frames=FRAMES, **project):
    """What an instrument track gives."""
    project.setdefault("tempo", TEMPO_MAP)
    track = {"id": "t", "type": "instrument", "channels": 1, "nodes": [node("click-synth"), *nodes], "clips": clips}
    return render(folder, {}, [track], [source("t", range={"start": {"frames": 0}, "end": {"frames": frames}})], options,
                  **project)["t"]


NOTES = [(0, 0.5, 127), (1, 1, 64), (3.999, 0.5, 1), (4.5, 1.25, 100), (7.25, 0.125, 99), (9.4, 0.3, 55), (10.0, 0.001, 77)]


def test_notes_to_the_frame(folder):
    clip = {"start": {"beats": 0}, "notes": [note(at, duration, velocity=velocity) for at, duration, velocity in NOTES]}
    same(play(folder, [clip]), clicks(NOTES), "notes over three changes of tempo")


def test_clips_begin_anywhere(folder):
    clip = {"start": {"beats": 2.125}, "notes": [note(at, duration, velocity=velocity) for at, duration, velocity in NOTES]}
    same(play(folder, [clip]), clicks(NOTES, 2.125), "a clip that begins late")


def test_clips_end_their_notes(folder):
    """What still sounds where the clip ends is ended there; what begins later is not played."""
    clip = {"start": {"beats": 1}, "duration": {"beats": 4}, "notes": [note(0, 10, velocity=90), note(3, 0.5, 61, 50),
                                                                      note(4, 1, 62, 80)]}
    same(play(folder, [clip]), clicks([(0, 10, 90), (3, 0.5, 50)], 1, end=5), "a clip shorter than its notes")


def test_muted_clips_and_tracks(folder):
    clips = [{"notes": [note(0, 1)], "mute": True}, {"start": {"beats": 2}, "notes": [note(0, 1, velocity=80)]}]
    same(play(folder, clips), clicks([(2, 1, 80)]), "a muted clip")


def test_clips_add(folder):
    """Two clips, another key each, with notes at the same frames."""
    clips = [{"notes": [note(0, 1, 60, 40), note(1, 1, 60, 40)]}, {"notes": [note(0, 1, 64, 50), note(1, 1, 64, 50)]}]
    expected = clicks([(0, 1, 40), (1, 1, 40), (0, 1, 50), (1, 1, 50)])
    within(play(folder, clips)[:, 0], expected, 2.0**-22, "two clips")


def test_repeated_key(folder):
    """The end of one note and the beginning of the next at one frame: the end comes first, or the next would be cut."""
    clip = {"notes": [note(0, 1, velocity=100), note(1, 1, velocity=50), note(2, 1, velocity=25)]}
    same(play(folder, [clip]), clicks([(0, 1, 100), (1, 1, 50), (2, 1, 25)]), "one key again and again")


def test_messages_as_written(folder):
    clip = {"notes": [note(0, 1, 36, 101, channel=10), note(2, 1, 72, 33)]}
    track = {"id": "t", "type": "instrument", "channels": 2, "nodes": [node("event-teller")], "clips": [clip]}
    done = render(folder, {}, [track], [source("t", range={"start": {"frames": 0}, "end": {"frames": FRAMES}})])["t"]
    plain = [(0, 120.0)]
    for beat, status, key in ((0, 0x99, 36), (2, 0x90, 72), (1, 0x89, 36), (3, 0x80, 72)):
        frame = frame_of(beat, plain)
        equal(list(done[frame]), [status / 256, key / 128], f"message at beat {beat}")
        done[frame] = 0
    equal(bool(np.any(done)), False, "other messages")


def test_many_notes_at_once(folder):
    """More than fit into a small event buffer."""
    notes = [note(1, 1, key, velocity=1, channel=channel) for key in range(128) for channel in range(1, 17)]
    sound = play(folder, [{"notes": notes}], tempo=[{"at": {"beats": 0}, "bpm": 120}], frames=60000)
    equal(round(float(sound[24000, 0]) * 127), 2048, "notes on at one frame")
    equal(round(float(sound[48000, 0]) * 127), -2048, "notes off at one frame")


def test_notes_through_latency(folder):
    clip = {"notes": [note(at, duration, velocity=velocity) for at, duration, velocity in NOTES]}
    same(play(folder, [clip], [node("latent", parameters={"delay": 4321})]), clicks(NOTES), "a delay behind the synth")


def test_notes_on_any_block_and_thread(folder):
    clip = {"notes": [note(at, duration, velocity=velocity) for at, duration, velocity in NOTES]}
    for options in (("--threads", "1", "--block", "1024"), ("--threads", "3", "--block", "8192"), ("--block", "1048576")):
        same(play(folder, [clip], options=options), clicks(NOTES), f"with {options}")


def test_ranges_begin_within_notes(folder):
    """What began before the range is not played."""
    clip = {"notes": [note(0, 4, velocity=100), note(2, 1, 62, velocity=50)]}
    track = {"id": "t", "type": "instrument", "channels": 1, "nodes": [node("click-synth")], "clips": [clip]}
    done = render(folder, {}, [track], [source("t", range={"start": {"frames": 24000}, "end": {"frames": 96000}})])["t"]
    expected = clicks([(2, 1, 50)], tempo=[(0, 120.0)])[24000:96000]
    same(done, expected, "from the middle of a note")


def varlen(value):
    out = [value & 127]
    while value > 127:
        value >>= 7
        out.append(value & 127 | 128)
    return bytes(reversed(out))


def track_chunk(events):
    """(tick, bytes) in order."""
    body, now = b"", 0
    for tick, data in [*events, (events[-1][0] if events else 0, b"\xff\x2f\x00")]:
        body += varlen(tick - now) + data
        now = tick
    return b"MTrk" + struct.pack(">I", len(body)) + body


def midi_file(path, tracks, division=480):
    head = b"MThd" + struct.pack(">IHHH", 6, 1 if len(tracks) > 1 else 0, len(tracks), division)
    return write(path, head + b"".join(track_chunk(events) for events in tracks))


def midi_notes(notes, channel=0, key=60, division=480):
    events = []
    for at, duration, velocity in notes:
        events.append((round(at * division), bytes([0x90 | channel, key, velocity])))
        events.append((round((at + duration) * division), bytes([0x80 | channel, key, 64])))
    return sorted(events, key=lambda event: event[0])


IN_FILE = [(0, 0.5, 127), (1, 1, 64), (4.5, 1.25, 100), (7.25, 0.125, 99), (10.0, 0.25, 77)]


def test_midi_files(folder):
    """A file's notes follow the project's tempo; its own tempo counts for nothing."""
    tempo = (0, b"\xff\x51\x03" + (250000).to_bytes(3, "big"))
    midi_file(f"{folder}/theme.mid", [[tempo], midi_notes(IN_FILE), midi_notes([(2, 1, 33)], 1, 70)])
    own = {"midi": "theme.mid", "midiTrack": 2, "start": {"beats": 0}}
    same(play(folder, [own]), clicks(IN_FILE), "one track of a file")
    same(play(folder, [{"midi": "theme.mid", "start": {"beats": 1.5}}]), clicks([*IN_FILE, (2, 1, 33)], 1.5), "all tracks, later")
    cut = {"midi": "theme.mid", "midiTrack": 2, "start": {"beats": 1}, "duration": {"beats": 5}}
    same(play(folder, [cut]), clicks([(0, 0.5, 127), (1, 1, 64), (4.5, 1.25, 100)], 1, end=6), "a part of a file")


def test_midi_running_status_and_zero_velocity(folder):
    """As players write them: no status twice, a note ends by a velocity of zero."""
    events = [(0, bytes([0x90, 60, 100])), (240, bytes([60, 0])), (480, bytes([60, 50])), (960, bytes([60, 0]))]
    midi_file(f"{folder}/theme.mid", [events])
    same(play(folder, [{"midi": "theme.mid"}]), clicks([(0, 0.5, 100), (1, 1, 50)]), "running status")


def test_bad_midi_files(folder):
    """Told at the place that names the file, and nothing is rendered."""
    project = {"loophole": 1, "tracks": [{"id": "t", "type": "instrument", "nodes": [node("click-synth")],
                                          "clips": [{"midi": "theme.mid"}]}],
               "deliverables": [{"name": "t", "source": "t", "range": {"start": {"frames": 0}, "end": {"frames": 100}}}]}
    write(f"{folder}/project.json", project)
    good = b"MThd" + struct.pack(">IHHH", 6, 0, 1, 480) + track_chunk(midi_notes(IN_FILE))
    for data, status in ((None, 4), (b"", 4), (b"RIFF" + good, 4), (good[:14], 4), (good[:30], 4)):
        if data is not None:
            write(f"{folder}/theme.mid", data)
        done = command("render", f"{folder}/project.json", "-o", f"{folder}/out", "--progress", "none")
        equal(done.returncode, status, f"exit status for {data and data[:20]}: {done.talk}")
        contains(done.talk, "/tracks/0/clips/0/midi")


def positions(folder, frames=200000, channels=8, **project):
    return through(folder, [node("position-teller")], noise(frames, channels=channels), **project)


def musical_time(frames, signatures, tempo):
    """bpm/1000, bar, beat of the bar, beat of each frame; signatures: (beat, numerator, denominator)."""
    starts = [frame_of(beat, tempo) for beat, _ in tempo]
    which = np.searchsorted(starts, frames, "right") - 1
    beats = np.array([tempo[i][0] for i in which]) + (frames - np.array(starts)[which]) / RATE * np.array(
        [tempo[i][1] for i in which]) / 60
    bars, in_bar = np.zeros(len(frames)), np.zeros(len(frames))
    bar = 0.0
    for (beat, numerator, denominator), (end, _, _) in zip(signatures, [*signatures[1:], (float("inf"), 0, 0)]):
        inside = (beats >= beat - 1e-9) & (beats < end - 1e-9)
        along = (beats[inside] - beat) * denominator / 4
        bars[inside] = bar + np.floor(along / numerator + 1e-9)
        in_bar[inside] = along - np.floor(along / numerator + 1e-9) * numerator
        if end < float("inf"):
            bar += np.ceil((end - beat) * denominator / 4 / numerator - 1e-9)
    return np.array([tempo[i][1] for i in which]) / 1000, bars, in_bar, beats


def test_position_is_told_at_the_start_and_at_changes(folder):
    tempo = [(0, 120.0), (4, 90.0), (7, 200.0)]
    signatures = [(0, 4, 4), (4, 3, 4), (7, 6, 8)]
    sound = positions(folder, tempo=[{"at": {"beats": beat}, "bpm": bpm, "curve": "step"} for beat, bpm in tempo],
                      timeSignatures=[{"at": {"beats": beat}, "numerator": a, "denominator": b} for beat, a, b in signatures])
    for beat, a, b in signatures:  # where something changes, all of it is told, at that very frame
        frame = frame_of(beat, tempo)
        bpm, bar, in_bar, _ = (column[0] for column in musical_time(np.array([frame]), signatures, tempo))
        got = sound[frame]
        equal(abs(got[0] - bpm * b / 4) < 1e-6, True, f"beats of the signature a minute, at beat {beat}: {got[0] * 1000}")
        equal((round(got[1], 3), round(got[4]), round(got[5])), (round(bar, 3), a, b), f"bar and signature at beat {beat}")
        equal(abs(got[2] - in_bar) < 1e-3, True, f"beat of the bar at beat {beat}: {got[2]}, not {in_bar}")
        equal(got[6], 1.0, "speed")
        equal(round(got[7] * 1048576), frame, f"frame at beat {beat}")
        if frame:
            equal(sound[frame - 1][0] != got[0], True, f"the tempo changes at frame {frame}, not before")


def test_position_in_ranges(folder):
    """From the middle on: told at the first frame, for that frame."""
    begin = 60000
    track = {"id": "t", "type": "audio", "channels": 8, "nodes": [node("position-teller")], "clips": [{"media": "a"}]}
    done = render(folder, {"a": noise(100000, channels=8)}, [track],
                  [source("t", range={"start": {"frames": begin}, "end": {"frames": 100000}})],
                  tempo=[{"at": {"beats": 0}, "bpm": 90}])["t"]
    bpm, bar, in_bar, _ = (column[0] for column in musical_time(np.array([begin]), [(0, 4, 4)], [(0, 90.0)]))
    equal(abs(done[0][0] - bpm) < 1e-6 and done[0][1] == bar and abs(done[0][2] - in_bar) < 1e-3, True,
          f"{done[0]}, not {(bpm, bar, in_bar)}")
    equal(round(done[0][7] * 1048576), begin, "frame")


def test_instruments_want_their_kind_of_track(folder):
    """Notes on a track whose plugin takes none are a fault of the project."""
    write(f"{folder}/project.json", {"loophole": 1, "tracks": [
        {"id": "t", "type": "instrument", "nodes": [node("four-out")], "clips": [{"notes": [note(0, 1)]}]}]})
    done = command("check", f"{folder}/project.json")
    equal(done.returncode, 3, f"exit status: {done.talk}")
    contains(done.talk, "/tracks/0")


if __name__ == "__main__":
    sys.exit(run_tests([value for name, value in list(globals().items()) if name.startswith("test_")]))
