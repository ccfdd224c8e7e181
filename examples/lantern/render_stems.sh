#!/bin/sh
# SPDX-License-Identifier: MIT
# Plays the score with FluidSynth and the FluidR3 sound font, dry, and keeps each part as a FLAC of 16 bits in stems/.
# Debian packages: fluidsynth fluid-soundfont-gm sox python3. Usage: render_stems.sh [SOUND-FONT]
set -eu
cd "$(dirname "$0")"
font=${1:-/usr/share/sounds/sf2/FluidR3_GM.sf2}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p stems

python3 compose.py "$work" >"$work/list"
while read -r name rate channels gain top skip keep fade; do
    # FluidSynth's reverb and chorus stay off: an example of mixing begins with dry sound.
    fluidsynth -q -n -i -R 0 -C 0 -g 0.5 -r "$rate" -O float -T wav -F "$work/$name.wav" "$font" "$work/$name.mid"
    sox -D -V1 "$work/$name.wav" -b 16 -c "$channels" --compression 8 "stems/$name.flac" \
        gain "$gain" highpass 20 lowpass "$top" pad 0 "$keep" trim "$skip" "$keep" fade t 0 "$keep" "$fade"
done <"$work/list"

# The first two bars of drums and bass are the stems of ../first.
mkdir -p ../first
sox -D -m -v 0.5 stems/kick.flac -v 1.5 stems/snare.flac -v 2 stems/hats.flac -b 16 --compression 8 ../first/drums.flac
sox -D stems/bass.flac -b 16 --compression 8 ../first/bass.flac trim 0 3 fade t 0 3 0.05
