// VirtualHalTest of both HALs (Android 15): setters of IVirtualHal are method fault_set here.
import { strict as assert } from 'node:assert';
import { ENUMS, SENSORS, STRANGER, differs } from './device.mjs';

const is = assert.deepEqual;
const KINDS = { fp: SENSORS.rear, face: SENSORS.face };
const REAL = 'samples are real, so no id is presented, enrolled or set';
const SEALED = 'what sensors are is sealed when the device is made; hello says it';
const POLICY = 'lockout is the sealed policy of the device';
const LATENCY = 'operation_authenticate_latency';

// A knob that acts on a device keeps what is set.
async function kept(device, knobs) {
  await device.set(knobs);
  const now = await device.faults();
  is(Object.fromEntries(Object.keys(knobs).map((name) => [name, now[name]])), knobs);
}

// A knob that a device does not have is refused by name.
const refused = (values) => async (device) => {
  for (const [name, value] of values) is([name, await device.refused('fault_set', name, value)], [name, 'fault.no_effect']);
  is(await device.faults(), {});
};

const notNegative = (name, value) => async (device) => {
  await kept(device, { [name]: value });
  is(await device.refused('fault_set', name, '-1'), 'fault.value');
  is(await device.faults(), { [name]: value });
  await device.ask('fault_set', name, '0');
};

const POOR = { fp: 2, face: 6 }; // PARTIAL, TOO_FAR
const START = { fp: 8, face: 21 };

function rowsOf(kind) {
  const face = kind === 'face';
  const made = {
    async init(device) {
      is(await device.faults(), {});
      const { strength, sensor_type: type } = device.sensors[KINDS[kind]];
      is([strength, type], [ENUMS.SensorStrength.STRONG, 1]);
      const session = await device.session(KINDS[kind]);
      is(await session.authenticatorId(), 0);
      is(await session.ids(), []);
    },

    enrollment_hit_int32: differs(REAL, async (device) => {
      await refused([['enrollment_hit', '11']])(device);
      const session = await device.session(KINDS[kind]);
      await session.enroll(11);
      is(await session.matches(11), true);
      is(await session.matches(STRANGER), false);
    }),

    next_enrollment: differs('a step is written with its codes where there its default is left out', async (device) => {
      const scripts = {
        '1:20:true': '1:20-[1]:true',
        '1:50,60,70:true': '1:50-[1],60-[1],70-[1]:true',
        [`2:50-[${START[kind]}],60,70-[2,1002,1]:false`]: `2:50-[${START[kind]}],60-[1],70-[2,1002,1]:false`,
      };
      for (const [script, text] of Object.entries(scripts)) {
        await device.set({ next_enrollment: script });
        is(await device.faults(), { next_enrollment: text });
        await kept(device, { next_enrollment: text });
      }
    }),

    authenticator_id_int64: differs(REAL, refused([['authenticator_id', '12345678900']])),
    opeationAuthenticateFails_bool: (device) => kept(device, { operation_authenticate_fails: 'true' }),
    operationAuthenticateAcquired_int32_vector: (device) => kept(device, { operation_authenticate_acquired: `${START[kind]},${POOR[kind]},1023` }),

    type: differs(SEALED, async (device) => {
      await refused([[face ? 'face_type' : 'type', face ? 'IR' : 'side']])(device);
      const types = device.sensors.filter(({ modality }) => modality === ENUMS.Modality[face ? 'FACE' : 'FINGERPRINT']);
      is(types.map(({ sensor_type: type }) => type), face ? [1, 2] : [1, 3, 2, 4, 5]);
    }),

    sensorStrength: differs(SEALED, async (device) => {
      await refused([['sensor_strength', '1']])(device);
      const { WEAK, CONVENIENCE } = ENUMS.SensorStrength;
      is(device.sensors[SENSORS.infrared].strength, WEAK);
      is(device.sensors[SENSORS.weak].strength, WEAK);
      is(device.sensors[SENSORS.convenience].strength, CONVENIENCE);
    }),

    sensorLocation: differs(SEALED, async (device) => {
      await refused([['sensor_location', '1:2:3']])(device);
      is(device.sensors[SENSORS.display].place, [100, 200, 30]);
    }),

    async setLatency(device) {
      for (const value of ['1', '2,3', '5,4']) await kept(device, { [LATENCY]: value });
      for (const bad of ['', '1,2,3', '1,-3']) is([bad, await device.refused('fault_set', LATENCY, bad)], [bad, 'fault.value']);
      is(await device.faults(), { [LATENCY]: '5,4' });
    },

    setOperationAuthenticateDuration: notNegative('operation_authenticate_duration', '33'),
    setOperationDetectInteractionDuration: notNegative('operation_detect_interaction_duration', '34'),
    setLockoutTimedDuration: differs(POLICY, refused([['lockout_timed_duration', '35']])),
    setLockoutTimedThreshold: differs(POLICY, refused([['lockout_timed_threshold', '36']])),
    setLockoutPermanentThreshold: differs(POLICY, refused([['lockout_permanent_threshold', '37']])),

    setOthers: differs(`${REAL}; ${SEALED}`, async (device) => {
      const there = {
        operation_authenticate_error: '4',
        operation_enroll_error: '5',
        operation_enroll_latency: '4,5',
        operation_detect_interaction_error: '6',
        operation_detect_interaction_acquired: `${START[kind]},1`,
        lockout: 'true',
      };
      const not = { enrollments: '7,6,5', challenge: '1112223334445556', lockout_enable: 'true', sensor_id: '5', max_enrollments: '6' };
      const shape = { navigation_guesture: 'true', detect_interaction: 'true', 'udfps.display_touch': 'false', 'udfps.control_illumination': 'true' };
      await refused(Object.entries(face ? not : { ...not, ...shape }))(device);
      await kept(device, there);
    }),
  };
  const without = face ? ['sensorLocation', 'setOperationDetectInteractionDuration'] : [];
  return Object.entries(made)
    .filter(([name]) => !without.includes(name))
    .map(([name, row]) => [`VirtualHalTest(${kind}).${name}`, row]);
}

export const rows = Object.fromEntries(Object.keys(KINDS).flatMap(rowsOf));
