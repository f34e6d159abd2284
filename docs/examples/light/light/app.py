"""The application: takes a capture by its id, once, and answers with one bit."""

from light.commands import JUDGE, Judgement
from tee_sim.shared.errors import Origin, TeeError, TeeResult
from tee_sim.shared.ta_api import CommandApp

_DAY = 128


class LightApp(CommandApp):
    """Judges what the sensor has read."""

    def create(self, env):
        self._captures = env.captures
        self.handle(JUDGE, self._judge)

    def _judge(self, session, request):
        taken = self._captures.take(request.capture_id)
        if taken.extractor != b"light 1" or len(taken.payload) != 1:  # the core has not looked into it
            raise TeeError(TeeResult.BAD_FORMAT, "not a sample of this sensor", origin=Origin.TRUSTED_APP)
        return Judgement(is_day=taken.payload[0] >= _DAY)
